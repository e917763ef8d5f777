"""Kinds `check_lock` and `set_lock`: one try at a phone's screen lock, over a link on which nobody listens in.

What is tried comes sealed and lives only in the call that tries it. Of what the phone says only codes are passed on,
for its words repeat what was tried. Once a try may have reached the phone, whatever goes wrong is `unknown`, never
"not now": nothing here ever tries a second time.
"""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent import wire
from agent.boxes import Boxes
from agent.clock import Steady
from agent.commands import HAND_WAIT_S, candidates
from agent.errors import KeyFileError, TransportError
from agent.hands import Hands
from agent.inbox import Outcome
from agent.parsers.lock import UNCLEAR, is_pin, set_code, verify_code
from agent.snapshot import read_snapshot
from agent.sweep import Serials
from agent.transport import Link, Transport, TransportOptions, open_transport

log = logging.getLogger("agent.commands")

SAFE_LINKS: frozenset[Link] = frozenset({"usb", "tls", "loopback"})
OLDEST_SDK = 27
READ_S = 60.0
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


class _NotNow(Exception):
    """Nothing was tried here; `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class LockKind:
    """`targets` is the present list of the sweep; `options.clock` is `clock`."""

    what: What
    key: X25519PrivateKey
    boxes: Boxes
    options: TransportOptions
    hands: Hands
    serials: Serials
    targets: Callable[[], Sequence[str]]
    clock: Steady
    hand_wait_s: float = HAND_WAIT_S

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
        reasons = []
        for target in candidates(command.serial, self.serials, self.targets()):
            try:
                return self._at(target, command, texts)
            except _NotNow as exc:
                reasons.append(exc.reason)
        # Of several ways to the phone the one that somebody can mend at once is told.
        reason = "plaintext" if "plaintext" in reasons else (reasons or ["not_seen"])[-1]
        return Outcome("refused" if reason == "other_phone" else "not_now", {"reason": reason})

    def _opened(self, command: wire.Command, box: object) -> _Texts:
        """Raise `BoxRejected`."""
        texts = wire.open_box(box, self.key, command=command.id, agent=command.agent, serial=command.serial)
        old, new = texts.get("old"), texts.get("new")
        if (
            not _usable(old)
            or (self.what == "set") != (new is not None)
            or (new is not None and not _usable(new))
        ):
            raise wire.BoxRejected("not what this kind needs")
        assert old is not None
        return _Texts(old, new)

    def _at(self, target: str, command: wire.Command, texts: _Texts) -> Outcome:
        """Raise `_NotNow` when nothing was tried at this target."""
        with self.hands.take(self.serials.hand(target), self.hand_wait_s) as free:
            if not free:
                raise _NotNow("busy")
            try:
                transport = open_transport(target, self.options)
            except (TransportError, KeyFileError) as exc:
                raise _NotNow(getattr(exc, "reason", "unauthorized")) from None
            with transport:
                if transport.link not in SAFE_LINKS:
                    raise _NotNow("plaintext")
                sdk = self._same_phone(transport, command)
                if sdk is not None and sdk < OLDEST_SDK:
                    return _told("not_supported")
                return self._try(transport, texts)

    def _same_phone(self, transport: Transport, command: wire.Command) -> int | None:
        """The Android version as a number, None where it is not told. Raise `_NotNow` unless it is the named phone."""
        try:
            snapshot = read_snapshot(transport, history=False, clock=self.clock, deadline_s=READ_S)
        except TransportError as exc:
            raise _NotNow(exc.reason) from None
        identity: dict[str, Any] = snapshot.body["identity"] or {}
        if not snapshot.identified or not snapshot.whole:
            raise _NotNow("identity")
        told = set(identity.get("imei") or ())
        if identity["serial"] != command.serial or (told and command.imei and not told & set(command.imei)):
            raise _NotNow("other_phone")
        sdk = identity.get("sdk")
        return sdk if isinstance(sdk, int) else None

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


def _usable(text: str | None) -> bool:
    """What can be given to a command on one line."""
    return text is not None and 0 < len(text) <= 200 and text.isprintable()


def _told(outcome: str) -> Outcome:
    return Outcome("succeeded", {"outcome": outcome})


def _unknown(reason: str) -> Outcome:
    return Outcome("failed", {"outcome": "unknown", "reason": reason})
