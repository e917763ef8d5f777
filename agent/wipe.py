"""Kind `wipe_phone`: the order to erase one phone, given once, to that phone and to no other.

Everything that can be known beforehand is looked at before anything is done. The order itself asks the phone once more,
in the very same command line, for its serial and its boot: between a look and an act a cable may be swapped.
What is told is what is known: Android answers before it erases, so "accepted" never means erased, and once an order may
have left, nothing is called refused or "not now".
"""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent import wire
from agent.boxes import SEALED, Boxes
from agent.errors import TransportError
from agent.guard import guard
from agent.identity import Expected, Held, NotAtHand, PhoneAtHand, expected_of
from agent.inbox import Outcome, ResultState
from agent.parsers.identity import is_imei
from agent.parsers.lock import UNCLEAR, is_secret
from agent.parsers.wipe import HARNESS, HARNESS_SDK, cleared_code, enable_code, harness_code
from agent.transport import CommandResult

log = logging.getLogger("agent.commands")

TYPED_FOR_S = 600
"""An IMEI that a person read off the phone's screen says who lay there then, not who lies there an hour later."""
ASK_S, ORDER_S = 20.0, 30.0
_FOREIGN = frozenset({"other_phone", "identity", "no_imei", "expect"})
_LOCK_REFUSALS = {
    "other_phone": "other_phone",
    "mismatch": "lock_wrong",
    "throttled": "lock_throttled",
    "profile": "lock_profile",
    "not_supported": "not_supported",
}


class _Ended(Exception):
    """No order to erase has left, and none will."""

    def __init__(self, reason: str, state: ResultState = "refused", **told: Any) -> None:
        super().__init__(reason)
        self.outcome = Outcome(state, {"reason": reason, **told})


@dataclass(frozen=True)
class _Asked:
    expected: Expected
    imei_typed: str | None


@dataclass(frozen=True, repr=False)
class _Order:
    """One order on its way. `secret` opens the lock; `cleared` is what is known of the lock since."""

    command: wire.Command
    held: Held
    secret: str | None
    cleared: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class WipeKind:
    """`left_s(id)`: seconds until a received command expires, 0 or less when it has or when that is not known.
    `tell(id, detail)` returns when a word on the way is on disk.
    """

    key: X25519PrivateKey
    boxes: Boxes
    at_hand: PhoneAtHand
    left_s: Callable[[wire.Command], float]
    tell: Callable[[str, dict[str, Any]], None]

    purpose = wire.DANGER_PURPOSE

    def interrupted(self, command: wire.Command) -> Outcome:
        """A former run of the agent began it and was ended: nobody knows whether the order left."""
        return _unknown("interrupted")

    def __call__(self, command: wire.Command) -> Outcome:
        box = self.boxes.take(command.id)
        if box is None and SEALED in command.args:
            # This machine was restarted since: what opens the lock is gone with its memory.
            return Outcome("not_now", {"reason": "no_box"})
        try:
            asked = _asked(command)
            secret = None if box is None else self._secret(command, box)
            with self.at_hand(
                command, expected=asked.expected, imei_typed=asked.imei_typed, strict=True
            ) as held:
                _look(held)
                return self._ordered(_Order(command, held, secret))
        except _Ended as exc:
            return exc.outcome
        except NotAtHand as exc:
            return Outcome("refused" if exc.reason in _FOREIGN else "not_now", {"reason": exc.reason})

    def _secret(self, command: wire.Command, box: object) -> str | None:
        try:
            texts = wire.open_box(
                box, self.key, command=command.id, agent=command.agent, serial=command.serial
            )
        except wire.BoxRejected:
            raise _Ended("bad_box") from None
        if texts.keys() - {"old"} or not all(map(is_secret, texts.values())):
            raise _Ended("bad_box")
        return texts.get("old")

    def _ordered(self, order: _Order) -> Outcome:
        """Raise `_Ended`."""
        lock = (order.held.snapshot.body["setup"] or {}).get("lock_screen")
        if lock == "set" and order.secret is None:
            raise _Ended("lock_set")
        self.tell(order.command.id, {"stage": "checked"})
        if lock != "none" and order.secret is not None:
            self._clear_lock(order, order.secret)
        self._in_time(order)
        # On disk before the order leaves: whoever reads it after a kill knows that it may have.
        self.tell(order.command.id, {"stage": "sent"})
        return _erased(order)

    def _in_time(self, order: _Order) -> None:
        if self.left_s(order.command) <= 0:
            raise _Ended("expired", "expired", **order.cleared)

    def _clear_lock(self, order: _Order, secret: str) -> None:
        """Try once. Raise `_Ended` unless the lock is known to be open: an erasure would be refused anyway."""
        self._in_time(order)
        code = _answer(order.held, clear_command(secret), cleared_code)
        if code in _LOCK_REFUSALS:
            raise _Ended(_LOCK_REFUSALS[code])
        if code not in ("cleared", "no_lock"):
            # No erasure was ordered, that much is sure; whether the lock is still set is not.
            raise _Ended("lock_unclear", lock_cleared=None)
        if code == "cleared":
            order.cleared["lock_cleared"] = True
            self.tell(order.command.id, {"stage": "lock_cleared"})


def _asked(command: wire.Command) -> _Asked:
    """The arguments, each of which must be understood. Raise `_Ended`."""
    args = command.args
    typed = args.get("imei_typed")
    if args.get("strategy") != HARNESS or not (typed is None or (isinstance(typed, str) and is_imei(typed))):
        raise _Ended("bad_args")
    try:
        expected = expected_of(args)
    except TypeError:
        raise _Ended("bad_args") from None
    if expected is None:
        raise _Ended("expect")
    return _Asked(expected, typed if command.expires_in_s <= TYPED_FOR_S else None)


def _look(held: Held) -> None:
    """Whether this phone can be erased. Raise `_Ended`, `NotAtHand`."""
    body = held.snapshot.body
    if held.sdk is None or held.sdk < HARNESS_SDK:
        raise _Ended("too_old")
    # Whose password would the phone want afterwards? Nobody's, only if there is no account; unread is not none.
    if body["accounts"] is None or body["accounts"]:
        raise _Ended("accounts")
    try:
        code = capability(held)
    except TransportError as exc:
        raise NotAtHand(exc.reason) from None
    if code is not None:
        raise _Ended("not_supported" if code == UNCLEAR else code)


def capability(held: Held) -> str | None:
    """As `harness_code`. Raise `TransportError`."""
    block = held.transport.run("getprop ro.frp.pst", ASK_S)
    service = held.transport.run("service check testharness", ASK_S)
    if block.exit_code or service.exit_code:
        return UNCLEAR
    return harness_code(*(one.stdout.decode("utf-8", "replace") for one in (block, service)))


def _erased(order: _Order) -> Outcome:
    """Give the order. From here on it may reach the phone."""
    code = _answer(order.held, enable_command(), enable_code)
    if code == "accepted":
        return Outcome("succeeded", {"outcome": "accepted"})
    if code in ("lock_set", "no_block", "not_supported", "other_phone"):
        return Outcome("refused", {"reason": code, **order.cleared})
    return _unknown(code)


def _answer(held: Held, command: str, code_of: Callable[[CommandResult], str]) -> str:
    """The answer's code, or that of what went wrong. Never raises: an error's text could hold what was tried."""
    guarded = f"{guard(held.identity['serial'], held.snapshot.body['power']['boot_id'])}\n{command}"
    try:
        return code_of(held.transport.run(guarded, ORDER_S))
    except TransportError as exc:
        return exc.reason
    except Exception as exc:  # noqa: BLE001 - its kind alone
        log.error("wipe command failed kind=%s", type(exc).__name__)  # noqa: TRY400
        return "internal"


def clear_command(secret: str) -> str:
    return f"locksettings clear --old {shlex.quote(secret)} --user 0"


def enable_command() -> str:
    return "cmd testharness enable"


def _unknown(reason: str) -> Outcome:
    return Outcome("failed", {"outcome": "unknown", "reason": reason})
