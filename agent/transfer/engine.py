"""The whole of one transfer: what the old phone holds, into the copy, into the new phone, and proved there.

Every step may be cut off and begun again, by a cable, by a killed agent, by another order for the same transfer: what
is in the copy's journal is not done twice, and what is on the new phone is looked at before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from agent.transfer.items import MAX_FILES, Items, excluded
from agent.transfer.manifest import Manifest, manifest
from agent.transfer.parts import Part, PartReport
from agent.transfer.people_step import people_report
from agent.transfer.phone import Found, PhoneFiles
from agent.transfer.reading import Reading
from agent.transfer.sealed import CopyFull
from agent.transfer.store import CopyStore
from agent.transfer.turns import Phone, Turn, Turns
from agent.transfer.verifying import Verifying, file_counts, file_entries
from agent.transfer.writing import SPARE, NoRoom, Writing
from agent.transport import Transport

_ROUNDS = 3
"""How often what was found damaged, or gone from the new phone, is moved again."""
NO_FILES = {"found": 0, "moved": 0, "verified": 0, "differs": 0, "failed": 0, "skipped": 0, "bytes": 0}


def token_of(transfer: str) -> str:
    """What names a transfer's files on a phone."""
    return transfer.replace("-", "")[-12:]


class Failed(Exception):
    """The transfer cannot be done as things are; `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Order:
    """What is to be moved. `folders` are relative to the shared storage's root, `exclude` are globs."""

    command: str
    transfer: str
    parts: tuple[str, ...]
    folders: tuple[str, ...]
    exclude: tuple[str, ...]
    max_file_bytes: int
    keep_days: int
    limits: Mapping[str, Any] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """See `token_of`."""
        return token_of(self.transfer)


@dataclass(frozen=True)
class Result:
    """What became of it, before the copy is destroyed or kept. `outcome`: `verified` or `differences`."""

    outcome: str
    files: Mapping[str, int]
    parts: Sequence[PartReport]
    manifest: Manifest


@dataclass
class Engine:
    """`old` and `new` open the phones; `parts` are the people's parts of the order, `upload` tells the manifest.

    `run` raises `Failed`, `GaveUp` (all is kept, it goes on later) and what `turns` is ended by.
    """

    order: Order
    copy: CopyStore
    old: Phone
    new: Phone
    turns: Turns
    parts: Sequence[Part]
    upload: Callable[[Manifest], None]
    _files: _Files | None = field(default=None, init=False)

    def counts(self) -> Mapping[str, int] | None:
        """The files as they stand, of a work that was ended in the middle; None before they were all listed."""
        return None if self._files is None else self._files.counts()

    def run(self) -> Result:
        try:
            return self._run()
        except CopyFull as exc:
            raise Failed("no_room_here") from exc
        except NoRoom as exc:
            raise Failed("no_room_new") from exc

    def _run(self) -> Result:
        self.turns.telling.begin("identity")
        entries: list[dict[str, Any]] = []
        counts: Mapping[str, int] = NO_FILES
        if "files" in self.order.parts:
            self._files = _Files(self)
            entries, counts = self._files.move()
        else:
            for phone in (self.old, self.new):
                self.turns.work(phone, _look)
            self.turns.met = True
        reports = [self._people(part) for part in self.parts]
        entries += [entry for report in reports for entry in report.differences]
        told = manifest(entries)
        self.turns.telling.begin("manifest", 0, len(entries))
        self.upload(told)
        whole = counts["verified"] == counts["found"] and all(r.outcome == "verified" for r in reports)
        return Result("verified" if whole else "differences", counts, reports, told)

    def _people(self, part: Part) -> PartReport:
        self.turns.telling.begin("people")
        return people_report(part, self.copy, self.turns, self.old, self.new)


class _Files:
    """The files of one run."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._order = engine.order
        self._turns = engine.turns
        self._telling = engine.turns.telling
        self.items = Items(engine.copy)
        self._unread: list[str] = []
        self._whole = False

    def counts(self) -> Mapping[str, int] | None:
        """None before all are listed."""
        return file_counts(file_entries(self.items, self._unread), self.items) if self._whole else None

    def move(self) -> tuple[list[dict[str, Any]], Mapping[str, int]]:
        """The manifest's entries of files, and the counts of the last word."""
        self._list()
        self._look_for_room()
        # From here on a phone that is away was at hand before.
        self._turns.met = True
        writing = Writing(self.items, self._order.token)
        for _ in range(_ROUNDS):
            self._stage("reading", (i.size for i in self.items if i.readable))
            with closing(Reading(self.items, self._order.token)) as reading:
                self._turns.work(self._engine.old, reading.step)
            self._stage("writing", (i.size for i in self.items if i.writable))
            self._turns.work(self._engine.new, writing.step)
            self._stage("verifying", (i.size for i in self.items if i.state is None and i.target))
            self._turns.work(self._engine.new, self._proof(writing))
            if not self._left_over():
                break
        entries = file_entries(self.items, self._unread)
        return entries, file_counts(entries, self.items)

    def _stage(self, name: Any, sizes: Iterable[int]) -> None:
        todo = list(sizes)
        self._telling.begin(name, sum(todo), len(todo))

    def _list(self) -> None:
        self._telling.begin("listing", 0, len(self._order.folders))
        found: dict[bytes, Found] = {}
        done: set[str] = set()

        def step(transport: Transport, turn: Turn) -> bool:
            files = PhoneFiles(transport, self._order.token)
            for folder in self._order.folders:
                if folder in done:
                    continue
                here, whole = files.listed(folder)
                found.update({f.path: f for f in here if not self._left_out(folder, f)})
                if not whole:
                    self._unread.append(folder)
                done.add(folder)
                turn.telling.ended()
            return True

        self._turns.work(self._engine.old, step)
        if len(found) > MAX_FILES:
            raise Failed("too_many_files")
        self.items.listed(found.values())
        self._whole = True
        for item in self.items:
            if item.size > self._order.max_file_bytes:
                item.end("skipped", "too_large")

    def _left_out(self, folder: str, file: Found) -> bool:
        return excluded(f"./{folder}".encode(), file.path, self._order.exclude)

    def _look_for_room(self) -> None:
        """Before anything is moved. Raise `NoRoom`, `CopyFull`."""
        self._telling.begin("space")
        needed_here = sum(item.size for item in self.items if item.readable)
        if needed_here > self._engine.copy.room():
            raise CopyFull("the copy would not fit")
        needed = sum(item.size for item in self.items if item.state is None and item.target is None)
        free: list[int | None] = []

        def step(transport: Transport, turn: Turn) -> bool:
            free.append(PhoneFiles(transport, self._order.token).free_bytes())
            turn.telling.ended(0)
            return True

        self._turns.work(self._engine.new, step)
        if free[-1] is not None and needed and needed + SPARE > free[-1]:
            raise NoRoom

    def _left_over(self) -> bool:
        """Whether something is to be moved once more: lost from the copy, or from the new phone since."""
        gone = [item for item in self.items if (item.state, item.reason) == ("missing", "not_there")]
        for item in gone:
            item.state = item.reason = None
            self.items.not_there(item)
        return bool(gone) or any(item.state is None for item in self.items)

    def _proof(self, writing: Writing) -> Callable[[Transport, Turn], bool]:
        """Verify every file, then leave nothing of ours behind."""
        verifying = Verifying(self.items, self._order.token)

        def step(transport: Transport, turn: Turn) -> bool:
            return verifying.step(transport, turn) and writing.clear(transport, turn)

        return step


def _look(_: Transport, turn: Turn) -> bool:
    """The phone was opened, which is all."""
    turn.telling.ended(0)
    return True
