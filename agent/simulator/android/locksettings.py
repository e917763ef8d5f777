"""`locksettings` (`cmd lock_settings`) as AOSP's LockSettingsShellCommand: words, exit codes, echo and throttling.

Each look at a credential counts in `PhoneState.lock_tries`; wrong ones count as Gatekeeper counts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.simulator.output import Output, failed, said
from agent.simulator.state import PhoneState

_FAILED = 255
_VERIFY_SINCE = 27
_WITHOUT_OLD_SINCE = 31
_DAY_S = 86_400.0
_SETS = {"set-pin": "Pin", "set-password": "Password"}


class LockLie(StrEnum):
    """What a phone of a bad day does instead of the truth; all but the first two after it has done what it was told."""

    SAYS_SET = "says_set"
    """It says that the new one is set, and is still at the old."""
    SAYS_NOTHING = "says_nothing"
    """It does nothing and prints nothing."""
    WRONG_EXIT = "wrong_exit"
    """The right words with the other exit code."""
    OTHER_WORDS = "other_words"
    """Words of another language."""
    BOTH_WORDS = "both_words"
    """Success and failure in one answer."""
    NO_ANSWER = "no_answer"
    """The connection ends before the answer."""


@dataclass(frozen=True)
class _Asked:
    verb: str
    old: str
    rest: list[str]


class _Unknown(Exception):
    """An option that the phone does not know."""


def locksettings(args: list[str], phone: PhoneState) -> Output:
    """`verify`, `set-pin`, `set-password`, `clear`, `get-disabled`; options `--old SECRET`, `--user N`."""
    if phone.lock_lie == LockLie.SAYS_NOTHING:
        return Output()
    true = _answer(args, phone)
    lie = phone.lock_lie
    if lie == LockLie.WRONG_EXIT:
        return Output(true.stdout, true.stderr, 0 if true.exit_code else _FAILED)
    if lie == LockLie.OTHER_WORDS:
        return Output("锁屏凭据已处理\n".encode(), b"", true.exit_code)
    if lie == LockLie.BOTH_WORDS:
        both = b"Lock credential verified successfully\nRequest throttled\n"
        return Output(true.stdout + both, b"", true.exit_code)
    if lie == LockLie.NO_ANSWER:
        return Output(gone=True)
    return true


def _answer(args: list[str], phone: PhoneState) -> Output:
    try:
        asked = _parse(args)
    except _Unknown as error:
        return failed(f"Unknown option: {error}\n", _FAILED)
    if asked.verb == "get-disabled":
        return said("false\n")
    if asked.verb not in ("verify", "clear", *_SETS) or (
        asked.verb == "verify" and phone.identity.sdk < _VERIFY_SINCE
    ):
        return failed(f"Unknown command: {asked.verb}\n", _FAILED)
    refusal = _check(phone, asked.old)
    if refusal is not None:
        return refusal
    if asked.verb == "verify":
        return said("Lock credential verified successfully\n")
    if asked.verb == "clear":
        phone.lock_pin = None
        return said("Lock credential cleared\n")
    return _set(asked, phone)


def _set(asked: _Asked, phone: PhoneState) -> Output:
    new = asked.rest[0] if asked.rest else ""
    fits = len(new) >= phone.lock_least and (new.isdigit() or asked.verb == "set-password")
    if not fits:
        return Output(b"New credential doesn't satisfy admin policies: Too short\n", b"", _FAILED)
    if phone.lock_lie != LockLie.SAYS_SET:
        phone.lock_pin = new
    return said(f"{_SETS[asked.verb]} set to '{new}'\n")


def _parse(args: list[str]) -> _Asked:
    """Options come before and between the other words, up to `--`, as Android's ShellCommand reads them."""
    words: list[str] = []
    old = ""
    rest = iter(args)
    for word in rest:
        if word == "--":
            words += rest
        elif word == "--old":
            old = next(rest, "")
        elif word == "--user":
            next(rest, "")
        elif word.startswith("-"):
            raise _Unknown(word)
        else:
            words.append(word)
    return _Asked(words[0] if words else "", old, words[1:])


def _check(phone: PhoneState, old: str) -> Output | None:
    """None when the credential fits, else what the phone says; a mismatch echoes the secret, as real phones do."""
    if phone.lock_pin is None:
        return _no("Old password provided but user has no password") if old else None
    if phone.unified_challenge:
        return _no("Profile uses unified challenge")
    if not old and phone.identity.sdk >= _WITHOUT_OLD_SINCE:
        return _no("User has a lock credential, but old credential was not provided")
    if phone.clock() < phone.throttled_until:
        return _no("Request throttled")
    phone.lock_tries += 1
    if old == phone.lock_pin:
        phone.wrong_pins = 0
        return None
    phone.wrong_pins += 1
    phone.throttled_until = phone.clock() + throttle_s(phone.wrong_pins)
    return _no(f"Old password '{old}' didn't match")


def throttle_s(wrong: int) -> float:
    """How long the phone takes no further try after so many wrong ones in a row, as Gatekeeper has it."""
    if wrong <= 10:
        return 30.0 if wrong and wrong % 5 == 0 else 0.0
    if wrong < 30:
        return 30.0
    return 30.0 * 2 ** ((wrong - 30) // 10) if wrong < 140 else _DAY_S


def _no(text: str) -> Output:
    return Output(f"{text}\n".encode("utf-8", "surrogateescape"), b"", _FAILED)
