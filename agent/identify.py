"""Kind `identify_phone`: the phone lights up, blinks, buzzes and shows its label, for the person before a row of them.

Nothing is typed and nothing unlocked. The screen's brightness is as before afterwards; the notification stays until
somebody wipes it away, and the next one takes its place.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent import wire
from agent.errors import TransportError
from agent.identity import Held, NotAtHand, PhoneAtHand
from agent.inbox import Outcome
from agent.transport import CommandResult

SIGN_S, BLINK_S = 10.0, 30.0
MAX_LABEL = 40
_MANAGES_VIBRATORS_SDK = 31
_BLINKS = (255, 10, 255, 10, 255)
Sign = Literal["screen", "notification", "vibrate", "brightness"]


@dataclass(frozen=True)
class IdentifyPhone:
    at_hand: PhoneAtHand

    def __call__(self, command: wire.Command) -> Outcome:
        """`succeeded` with what worked (`did`) and what did not (`failed`), as codes; each sign is tried by itself."""
        label = command.args.get("label")
        if not isinstance(label, str) or not 0 < len(label) <= MAX_LABEL or not label.isprintable():
            return Outcome("refused", {"reason": "bad_args"})
        try:
            with self.at_hand(command, safe=False) as held:
                return _signs(held, label)
        except NotAtHand as exc:
            return Outcome("refused" if exc.reason == "other_phone" else "not_now", {"reason": exc.reason})


def _signs(held: Held, label: str) -> Outcome:
    did: list[Sign] = []
    failed: list[Sign] = []
    gone = ""
    signs: list[tuple[Sign, str, float]] = [
        ("screen", "input keyevent KEYCODE_WAKEUP", SIGN_S),
        ("notification", notification_command(label), SIGN_S),
        ("vibrate", vibration_command(held.sdk), SIGN_S),
    ]
    for sign, command, deadline_s in signs:
        result = None if gone else _run(held, command, deadline_s)
        (did if isinstance(result, CommandResult) and _worked(result) else failed).append(sign)
        gone = gone or (result if isinstance(result, str) else "")
    (did if not gone and _blinked(held) else failed).append("brightness")
    # A phone that went away before it did anything is looked for again.
    return (
        Outcome("not_now", {"reason": gone})
        if gone and not did
        else Outcome("succeeded", {"did": did, "failed": failed})
    )


def _run(held: Held, command: str, deadline_s: float) -> CommandResult | str:
    """The answer, or the code of what went wrong, after which this connection serves no more."""
    try:
        return held.transport.run(command, deadline_s)
    except TransportError as exc:
        return exc.reason


def _worked(result: CommandResult) -> bool:
    """Exit codes lie: a shell command of Android that failed says so in words, often with code 0."""
    text = result.stdout + result.stderr
    return result.exit_code == 0 and not re.search(rb"Exception|Error|Unknown|Can't find|usage:", text)


def notification_command(label: str) -> str:
    """Always of the same tag, so that a second one takes the place of the first."""
    return f"cmd notification post -t {shlex.quote(label)} butler-identify {shlex.quote(f'找到这部手机：{label}')}"


def vibration_command(sdk: int | None) -> str:
    if sdk is not None and sdk < _MANAGES_VIBRATORS_SDK:
        return "cmd vibrator vibrate -f 1500 butler"
    return "cmd vibrator_manager synced -f oneshot 1500"


def _blinked(held: Held) -> bool:
    """Dark and bright in turns, then as it was. Not begun unless what it was is known."""
    now = _run(
        held, "settings get system screen_brightness; settings get system screen_brightness_mode", SIGN_S
    )
    if not isinstance(now, CommandResult):
        return False
    values = now.stdout.decode("utf-8", "replace").split()
    if len(values) != 2 or not values[0].isdecimal() or values[1] not in ("0", "1", "null"):
        return False
    result = _run(held, blink_command(values[0], values[1]), BLINK_S)
    return isinstance(result, CommandResult) and _worked(result)


def blink_command(brightness: str, mode: str, blinks: Sequence[int] = _BLINKS) -> str:
    """One command line, so that the phone puts it back even when nobody listens any more."""
    lines = ["settings put system screen_brightness_mode 0"]
    lines += [f"settings put system screen_brightness {level}; sleep 1" for level in blinks]
    lines.append(f"settings put system screen_brightness {brightness}")
    lines.append(
        "settings delete system screen_brightness_mode >/dev/null"
        if mode == "null"
        else f"settings put system screen_brightness_mode {mode}"
    )
    return "\n".join(lines)
