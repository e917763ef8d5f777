"""Kinds `check_lock` and `set_lock`: one try at a phone's screen lock, over a link on which nobody listens in.

What is tried comes sealed and lives only in the call that tries it. Of what the phone says only codes are passed on,
for its words repeat what was tried. Once a try may have reached the phone, whatever goes wrong is `unknown`, never
"not now": nothing here ever tries a second time.
"""

from __future__ import annotations

import logging
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent import wire
from agent.boxes import Boxes
from agent.errors import TransportError
from agent.identity import NotAtHand, PhoneAtHand
from agent.inbox import Outcome
from agent.parsers.lock import UNCLEAR, is_pin, is_secret, set_code, verify_code
from agent.transport import Transport

log = logging.getLogger("agent.commands")

OLDEST_SDK = 27
What = Literal["check", "set"]
LOCK_KINDS: Mapping[str, What] = {"check_lock": "check", "set_lock": "set"}
TRY_S = 30.0
"""Longer than any phone takes; one that is throttled answers at once."""


@dataclass(frozen=True)
class _Texts:
    old: str
    new: str | None

    def __repr__(self) -> str:
        return "_Texts()"


@dataclass(frozen=True)
class LockKind:
    what: What
    key: X25519PrivateKey
    boxes: Boxes
    at_hand: PhoneAtHand

    purpose = wire.DANGER_PURPOSE

    def interrupted(self, command: wire.Command) -> Outcome:
        """What becomes of a try that a former run of the agent began: nobody knows whether it reached the phone."""
        return _unknown("interrupted")

    def __call__(self, command: wire.Command) -> Outcome:
        box = self.boxes.take(command.id)
        if box is None:
            # This machine was restarted since: the server seals it anew.
            return Outcome("not_now", {"reason": "no_box"})
        try:
            texts = self._opened(command, box)
        except wire.BoxRejected:
            return Outcome("refused", {"reason": "bad_box"})
        try:
            with self.at_hand(command) as held:
                if held.sdk is not None and held.sdk < OLDEST_SDK:
                    return _told("not_supported")
                return self._try(held.transport, texts)
        except NotAtHand as exc:
            return Outcome("refused" if exc.reason == "other_phone" else "not_now", {"reason": exc.reason})

    def _opened(self, command: wire.Command, box: object) -> _Texts:
        """Raise `BoxRejected`."""
        texts = wire.open_box(box, self.key, command=command.id, agent=command.agent, serial=command.serial)
        old, new = texts.get("old"), texts.get("new")
        if (
            old is None
            or (self.what == "set") != (new is not None)
            or not all(is_secret(text) for text in (old, new) if text is not None)
        ):
            raise wire.BoxRejected("not what this kind needs")
        return _Texts(old, new)

    def _try(self, transport: Transport, texts: _Texts) -> Outcome:
        """From here on a try may reach the phone. Never raises: an error's text could hold what was tried."""
        try:
            if texts.new is None:
                return self._verified(transport, texts.old)
            return self._set(transport, texts.old, texts.new)
        except TransportError as exc:
            return _unknown(exc.reason)
        except Exception as exc:  # noqa: BLE001 - its kind alone
            log.error("lock command failed kind=%s", type(exc).__name__)  # noqa: TRY400
            return _unknown("internal")

    def _verified(self, transport: Transport, text: str) -> Outcome:
        code = verify_code(transport.run(verify_command(text), TRY_S))
        return _unknown(code) if code == UNCLEAR else _told(code)

    def _set(self, transport: Transport, old: str, new: str) -> Outcome:
        code = set_code(transport.run(set_command(old, new), TRY_S), new)
        if code == UNCLEAR:
            return _unknown(code)
        if code == "not_supported":
            return _told(code)
        if code != "set":
            return Outcome("succeeded", {"outcome": "not_set", "reason": code})
        # The phone says that it is changed; that the new one opens is proved by trying it, once.
        if verify_code(transport.run(verify_command(new), TRY_S)) != "match":
            return _unknown("unverified")
        return _told("set")


def verify_command(text: str) -> str:
    return f"locksettings verify --old {shlex.quote(text)} --user 0"


def set_command(old: str, new: str) -> str:
    """`set-pin` for digits alone, else `set-password`; `--` keeps a new one that begins with a dash from being an
    option. Single quotes hold everything in the phone's shell but themselves, which `shlex` takes apart.
    """
    verb = "set-pin" if is_pin(new) else "set-password"
    end = "-- " if new.startswith("-") else ""
    return f"locksettings {verb} --old {shlex.quote(old)} --user 0 {end}{shlex.quote(new)}"


def _told(outcome: str) -> Outcome:
    return Outcome("succeeded", {"outcome": outcome})


def _unknown(reason: str) -> Outcome:
    return Outcome("failed", {"outcome": "unknown", "reason": reason})
