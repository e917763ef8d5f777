"""Kinds `transfer_data` and `discard_copy`: an order of the server's carried out by the engine.

The key of the copy comes sealed with each order and lives in the call that uses it. A transfer that was interrupted is
given back as "not now"; the same order, or another for the same transfer with the same key, goes on where it was.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent import wire
from agent.boxes import Boxes
from agent.clock import Steady
from agent.identity import PhoneAtHand
from agent.inbox import Outcome
from agent.longwork import Progress, WorkCalledOff
from agent.transfer import store
from agent.transfer.engine import NO_FILES, Engine, Failed, Order, Result
from agent.transfer.orders import BadOrder, End, copy_key, parse, successor, transfer_id
from agent.transfer.parts import Part
from agent.transfer.people_step import told_part
from agent.transfer.sealed import CopyFull
from agent.transfer.tidying import tidied
from agent.transfer.turns import PATIENCE_S, TURN_S, GaveUp, Telling, Turns
from agent.transfer.upload import Poster, Upload
from agent.transport import Transport

log = logging.getLogger("agent.transfer")

_DISCARD_WAIT_S = 60.0
_REFUSALS = frozenset({"other_phone", "identity", "no_imei", "expect"})
MakeParts = Callable[[Sequence[str], Mapping[str, Any], Steady], Sequence[Part]]


class Discarded(Exception):
    """The copy is to be destroyed while the transfer runs."""


class _Stopped(Exception):
    """A person wants it to end; `files`: how far they are, None where that is not known."""

    def __init__(self, files: Mapping[str, int] | None) -> None:
        super().__init__()
        self.files = files


@dataclass
class Running:
    """The transfers at work, so that none runs twice and one can be told to end. For any number of threads."""

    _changed: threading.Condition = field(default_factory=threading.Condition)
    _ends: dict[str, threading.Event] = field(default_factory=dict)

    @contextmanager
    def one(self, transfer: str) -> Iterator[threading.Event | None]:
        """Its sign to end; None when it is at work already."""
        end: threading.Event | None = None
        with self._changed:
            if transfer not in self._ends:
                end = self._ends[transfer] = threading.Event()
        try:
            yield end
        finally:
            if end is not None:
                with self._changed:
                    del self._ends[transfer]
                    self._changed.notify_all()

    def end(self, transfer: str, wait_s: float) -> bool:
        """Tell it to end; whether it did."""
        with self._changed:
            if transfer in self._ends:
                self._ends[transfer].set()
            return self._changed.wait_for(lambda: transfer not in self._ends, wait_s)


@dataclass(frozen=True)
class TransferKind:
    """`root` holds the copies; `connect` makes a connection to the server; `stopped` is set when the agent ends."""

    key: X25519PrivateKey
    boxes: Boxes
    at_hand: PhoneAtHand
    root: Path
    connect: Callable[[], Poster]
    make_parts: MakeParts
    running: Running
    clock: Steady
    stopped: threading.Event
    room: Callable[[Path], int] = store.room_left
    turn_s: float = TURN_S
    patience_s: float = PATIENCE_S

    def __call__(self, command: wire.Command, progress: Progress) -> Outcome:
        box = self.boxes.take(command.id)
        if box is None:
            # This machine was restarted since: the server seals it anew.
            return Outcome("not_now", {"reason": "no_box"})
        try:
            order, old, new = parse(command)
            key = copy_key(box, command, self.key)
        except BadOrder:
            return Outcome("refused", {"reason": "bad_args"})
        except wire.BoxRejected:
            return Outcome("refused", {"reason": "bad_box"})
        with self.running.one(order.transfer) as end:
            if end is None:
                return Outcome("not_now", {"reason": "busy"})
            return self._alone(order, old, new, key, _ended_by(end, progress))

    def _alone(self, order: Order, old: End, new: End, key: bytes, progress: Progress) -> Outcome:
        began = self.clock()
        ended = store.receipt(self.root, order.transfer, order.command)
        if ended is not None:
            # Killed after the proof, before the word of it.
            store.shred(self.root, order.transfer)
            return Outcome("succeeded", ended)
        try:
            result = self._moved(order, old, new, key, progress)
        except GaveUp as exc:
            refused = exc.first and exc.reason in _REFUSALS
            return Outcome("refused" if refused else "not_now", {"reason": exc.reason})
        except (Failed, CopyFull) as exc:
            reason = getattr(exc, "reason", "no_room_here")
            return Outcome("failed", _detail("failed", reason, seconds=self.clock() - began))
        except Discarded:
            return Outcome("failed", _detail("cancelled", "discarded", seconds=self.clock() - began))
        except _Stopped as exc:
            seconds = self.clock() - began
            return Outcome("failed", _detail("cancelled", "stopped", seconds=seconds, files=exc.files))
        # The list of its files' names; that it stays where the phone is away changes nothing of what was proved.
        tidied(self.at_hand, old.phone, order.transfer)
        return self._last_word(order, result, self.clock() - began)

    def _moved(self, order: Order, old: End, new: End, key: bytes, progress: Progress) -> Result:
        telling = Telling(progress, self.clock)
        turns = Turns(telling, self.clock, self.stopped, self.turn_s, self.patience_s)
        copy = store.open_copy(self.root, order.transfer, key, order.keep_days, room=self.room)
        try:
            engine = Engine(
                order=order,
                copy=copy,
                old=self._phone(old),
                new=self._phone(new),
                turns=turns,
                parts=self.make_parts([p for p in order.parts if p != "files"], order.limits, self.clock),
                upload=Upload(order, self.connect, telling, self.clock, self.stopped),
            )
            return engine.run()
        except WorkCalledOff as exc:
            raise _Stopped(engine.counts()) from exc
        finally:
            copy.close()

    def _phone(self, end: End) -> Callable[[], Any]:
        """Opens a phone after its identity was looked at, each time anew."""

        @contextmanager
        def opened() -> Iterator[Transport]:
            with self.at_hand(end.phone, expected=end.expected) as held:
                yield held.transport

        return opened

    def _last_word(self, order: Order, result: Result, seconds: float) -> Outcome:
        whole = result.outcome == "verified"
        detail = _detail(
            result.outcome,
            None,
            seconds=seconds,
            files=result.files,
            parts=[told_part(report) for report in result.parts],
            copy="destroyed" if whole else "kept",
            manifest=result.manifest.told(),
        )
        if whole:
            try:
                store.write_receipt(self.root, order.transfer, order.command, detail)
                store.shred(self.root, order.transfer)
            except OSError as exc:
                # The proof stands; the server asks for the copy's end again.
                log.error("copy not destroyed transfer=%s: %s", order.transfer, exc.strerror)  # noqa: TRY400
                detail["copy"] = "kept"
        log.info("transfer=%s outcome=%s files=%s", order.transfer, result.outcome, dict(result.files))
        return Outcome("succeeded", detail)


@dataclass(frozen=True)
class DiscardKind:
    """Destroys a transfer's copy; one that is at work is ended before. What it left on the phones goes, too, as far as
    they are at hand: `new_phone` is `clean`, or why it may not be.
    """

    root: Path
    running: Running
    at_hand: PhoneAtHand
    wait_s: float = _DISCARD_WAIT_S

    def __call__(self, command: wire.Command, progress: Progress) -> Outcome:
        try:
            transfer, new = transfer_id(command.args), successor(command.args)
        except (KeyError, ValueError, TypeError):
            return Outcome("refused", {"reason": "bad_args"})
        if not self.running.end(transfer, self.wait_s):
            return Outcome("not_now", {"reason": "busy"})
        try:
            held = store.shred(self.root, transfer)
            store.destroy_copy(self.root, transfer)
        except OSError as exc:
            log.error("copy not destroyed transfer=%s: %s", transfer, exc.strerror)  # noqa: TRY400
            return Outcome("not_now", {"reason": "not_destroyed"})
        tidied(self.at_hand, command, transfer)
        left = {"new_phone": tidied(self.at_hand, new, transfer)} if new is not None else {}
        return Outcome("succeeded", {"outcome": "destroyed" if held else "none", **left})


def _ended_by(end: threading.Event, progress: Progress) -> Progress:
    """Progress that raises `Discarded` once it is told to end."""

    def told(detail: Mapping[str, Any], *, now: bool = False) -> None:
        if end.is_set():
            raise Discarded
        progress(detail, now=now)

    return told


def _detail(
    outcome: str,
    reason: str | None,
    *,
    seconds: float,
    files: Mapping[str, int] | None = NO_FILES,
    parts: Sequence[Mapping[str, Any]] = (),
    copy: str = "kept",
    manifest: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "outcome": outcome,
        "reason": reason,
        "files": None if files is None else dict(files),
        "parts": list(parts),
        "copy": copy,
        "manifest": manifest,
        "seconds": int(seconds),
    }
