"""What a phone answered to an order to clear its lock or to erase itself, as codes.

Words and exit codes are AOSP's LockSettingsShellCommand and TestHarnessModeService. What is not plainly one of them is
`words`: nobody knows then what the phone made of the order.
"""

from __future__ import annotations

from agent.guard import GUARD_EXIT
from agent.parsers.lock import UNCLEAR, clear_code
from agent.transport import CommandResult

HARNESS = "test_harness"
HARNESS_SDK = 29
OTHER_PHONE = "other_phone"
_LOCKED_EXIT, _FAILED_EXIT, _NO_SERVICE_EXIT = 2, 1, 20
_WORDS = {
    (_LOCKED_EXIT, "Test Harness Mode cannot be enabled if there is a lock screen"): "lock_set",
    (_FAILED_EXIT, "Failed to enable Test Harness Mode"): "no_block",
    (_NO_SERVICE_EXIT, "cmd: Can't find service: testharness"): "not_supported",
}
_FOUND, _NOT_FOUND = "Service testharness: found", "Service testharness: not found"


def enable_code(result: CommandResult) -> str:
    """`accepted`, which Android says before it erases; or why not: `lock_set no_block not_supported other_phone`, after
    which nothing was begun; or `words`.
    """
    lines = _lines(result)
    if not lines:
        return {0: "accepted", GUARD_EXIT: OTHER_PHONE}.get(_exit(result), UNCLEAR)
    return _WORDS.get((_exit(result), lines[0]), UNCLEAR) if len(lines) == 1 else UNCLEAR


def cleared_code(result: CommandResult) -> str:
    """`cleared`, `no_lock` (there is none), `other_phone`, or why it is still set: `mismatch throttled profile
    not_supported`; or `words`.
    """
    if _exit(result) == GUARD_EXIT and not _lines(result):
        return OTHER_PHONE
    return clear_code(result)


def harness_code(block: str, service: str) -> str | None:
    """None when `cmd testharness` can erase this phone, else `no_block`, `not_supported`, or `words`.

    `block`: the property `ro.frp.pst`, the partition that test-harness mode keeps its keys in; `service`: the answer of
    `service check testharness`.
    """
    said = service.strip()
    if said == _NOT_FOUND:
        return "not_supported"
    if said != _FOUND:
        return UNCLEAR
    return None if block.strip() else "no_block"


def _exit(result: CommandResult) -> int:
    return -1 if result.exit_code is None else result.exit_code


def _lines(result: CommandResult) -> list[str]:
    text = (result.stdout + b"\n" + result.stderr).decode("utf-8", "replace")
    return [line.strip() for line in text.splitlines() if line.strip()]
