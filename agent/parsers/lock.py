"""What `locksettings` printed, as a code. Its words repeat passwords: nothing of them leaves this module.

Words and exit codes are AOSP's LockSettingsShellCommand, Android 8.1 and later. A word counts only as a whole line,
for a password may hold any of these words itself.
"""

from __future__ import annotations

from agent.transport import CommandResult

UNCLEAR = "words"
_REFUSALS = {
    "Request throttled": "throttled",
    "Profile uses unified challenge": "profile",
    "Old password provided but user has no password": "no_lock",
}
_ABSENT = (
    "Unknown command: ",
    "cmd: Can't find service",
    "Can't find service",
    "Error: Could not access the Lock settings service",
)


def verify_code(result: CommandResult) -> str:
    """`match mismatch throttled no_lock profile not_supported`, or `words` for anything that is not plainly one."""
    return _code(result, "Lock credential verified successfully", "match")


def set_code(result: CommandResult, new: str) -> str:
    """`set`, or why it was not (`mismatch throttled no_lock profile policy not_supported`), or `words`."""
    said = "Pin" if is_pin(new) else "Password"
    return _code(result, f"{said} set to '{new}'", "set")


def clear_code(result: CommandResult) -> str:
    """`cleared`, or why it was not (`mismatch throttled no_lock profile not_supported`), or `words`."""
    return _code(result, "Lock credential cleared", "cleared")


def is_secret(text: str) -> bool:
    """Whether this can be given to a command on one line."""
    return 0 < len(text) <= 200 and text.isprintable()


def is_pin(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _code(result: CommandResult, done: str, code: str) -> str:
    text = (result.stdout + b"\n" + result.stderr).decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = {code} if done in lines else set()
    # The echo of a password spares no line: what stands between the quotes is left out before the words are looked at.
    found |= {said for said in map(_refusal, lines) if said}
    if len(found) != 1:
        return _absent(result, lines)
    (only,) = found
    # Done is believed only if the exit code says so too.
    return UNCLEAR if only == code and result.exit_code != 0 else only


def _refusal(line: str) -> str | None:
    if line.startswith("Old password '") and line.endswith("' didn't match"):
        return "mismatch"
    if line.startswith("New credential doesn't satisfy admin policies"):
        return "policy"
    return _REFUSALS.get(line)


def _absent(result: CommandResult, lines: list[str]) -> str:
    missing = result.exit_code == 127 and any("not found" in line for line in lines)
    if len(lines) <= 2 and (missing or any(line.startswith(_ABSENT) for line in lines)):
        return "not_supported"
    return UNCLEAR
