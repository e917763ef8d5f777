"""`locksettings` (`cmd lock_settings`): verify, set-pin, clear; too many wrong tries throttle it."""

from agent.simulator.output import Output, failed, said
from agent.simulator.state import PhoneState

_FAILED = 255
_TRIES_BEFORE_THROTTLE = 5
_VERIFY_SINCE = 27
_WITHOUT_OLD_SINCE = 31


def locksettings(args: list[str], phone: PhoneState) -> Output:
    """`verify`, `set-pin`, `clear`, `get-disabled`; options `--old SECRET`, `--user N`."""
    verb, old, rest = _parse(args)
    if verb == "get-disabled":
        return said("false\n")
    if verb not in ("verify", "set-pin", "clear") or (
        verb == "verify" and phone.identity.sdk < _VERIFY_SINCE
    ):
        return failed(f"Unknown command: {verb}\n", _FAILED)
    refusal = _check(phone, old)
    if refusal is not None:
        return refusal
    if verb == "verify":
        return said("Lock credential verified successfully\n")
    if verb == "clear":
        phone.lock_pin = None
        return said("Lock credential cleared\n")
    if not rest or not rest[0].isdigit() or len(rest[0]) < 4:
        return failed("New credential doesn't satisfy admin policies\n", _FAILED)
    phone.lock_pin = rest[0]
    return said(f"Pin set to '{rest[0]}'\n")


def _parse(args: list[str]) -> tuple[str, str | None, list[str]]:
    """(verb, value of `--old` or None, other words)."""
    words: list[str] = []
    old: str | None = None
    rest = iter(args)
    for word in rest:
        if word == "--old":
            old = next(rest, "")
        elif word == "--user":
            next(rest, "")
        else:
            words.append(word)
    return (words[0] if words else ""), old, words[1:]


def _check(phone: PhoneState, old: str | None) -> Output | None:
    """None when the credential fits, else what the phone says; a mismatch echoes the secret, as real phones
    do.
    """
    if phone.lock_pin is None:
        return said("Old password provided but user has no password\n") if old else None
    if phone.wrong_pins >= _TRIES_BEFORE_THROTTLE:
        return Output(b"Request throttled\n", b"", _FAILED)
    if old is None and phone.identity.sdk >= _WITHOUT_OLD_SINCE:
        text = "User has a lock credential, but old credential was not provided\n"
        return Output(text.encode(), b"", _FAILED)
    if old == phone.lock_pin:
        phone.wrong_pins = 0
        return None
    phone.wrong_pins += 1
    return Output(f"Old password '{old or ''}' didn't match\n".encode(), b"", _FAILED)
