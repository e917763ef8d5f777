"""What a person in front of the phone notices: keys, notifications, vibration. Kept in `PhoneState.shown`."""

from agent.simulator.output import Output, failed, said
from agent.simulator.state import PhoneState

_NOTIFIES_SINCE = 29
_MANAGES_VIBRATORS_SINCE = 31
_WAKES = {"KEYCODE_WAKEUP": True, "224": True, "KEYCODE_SLEEP": False, "223": False}
_FAILED = 255


def input_(args: list[str], phone: PhoneState) -> Output:
    """`input keyevent KEY…`; it prints nothing, whatever comes of it."""
    if args[:1] != ["keyevent"] or len(args) < 2:
        return failed("Usage: input [<source>] [-d DISPLAY_ID] <command> [<arg>...]\n", 1)
    for key in args[1:]:
        phone.screen_on = _WAKES.get(key, phone.screen_on)
        phone.shown.append(f"key {key}")
    return Output()


def notification(args: list[str], phone: PhoneState) -> Output:
    """`post [-t TITLE] [-S STYLE] TAG TEXT`, Android 10 and later."""
    if args[:1] != ["post"] or phone.identity.sdk < _NOTIFIES_SINCE:
        return failed(f"Unknown command: {args[0] if args else ''}\n", _FAILED)
    words, title, rest = [], "", iter(args[1:])
    for word in rest:
        if word in ("-t", "--title"):
            title = next(rest, "")
        elif word.startswith("-"):
            next(rest, "")
        else:
            words.append(word)
    if len(words) < 2:
        return failed("usage: cmd notification post [flags] <tag> <text>\n", _FAILED)
    phone.shown.append(f"notification {words[0]} {title}: {words[1]}")
    return said(f"posting:\n  Notification(channel=shellcmd tag={words[0]})\n")


def vibrator(args: list[str], phone: PhoneState) -> Output:
    """`cmd vibrator vibrate [-f] MS`, up to Android 11."""
    if args[:1] != ["vibrate"] or phone.identity.sdk >= _MANAGES_VIBRATORS_SINCE:
        return failed(f"Unknown command: {args[0] if args else ''}\n", _FAILED)
    phone.shown.append("vibration")
    return Output()


def vibrator_manager(args: list[str], phone: PhoneState) -> Output:
    """`cmd vibrator_manager synced [-f] oneshot MS`, from Android 12 on."""
    if phone.identity.sdk < _MANAGES_VIBRATORS_SINCE:
        return failed("cmd: Can't find service: vibrator_manager\n", 20)
    if args[:1] != ["synced"] or "oneshot" not in args:
        return failed(f"Unknown command: {args[0] if args else ''}\n", _FAILED)
    phone.shown.append("vibration")
    return Output()
