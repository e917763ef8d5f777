"""From the old phone into the encrypted copy: small files many at a time, large ones from where they were cut off."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from agent.errors import Refused, TransportError
from agent.transfer.items import Item, Items
from agent.transfer.phone import LIST_BYTES, Found, PhoneFiles, Tool
from agent.transfer.sealed import Appender, CopyDamaged
from agent.transfer.turns import Turn, TurnOver
from agent.transport import Transport

SMALL = 8 * 2**20
"""A file up to this size is read again from its beginning after a cut; several are read by one command."""
_GROUP_BYTES, _GROUP_FILES = 64 * 2**20, 400
_MOST_READS, _MOST_CUTS = 2, 30
"""Readings of a file that is never the same; cuts in the middle of one file after which it is left."""


class Reading:
    """`step` is one turn at the old phone. Raise `TransportError`, `CopyFull`, `TurnOver`."""

    def __init__(self, items: Items, token: str) -> None:
        self._items = items
        self._token = token
        self._tool: Tool | None = None
        self._asked = False
        self._open: dict[int, Appender] = {}

    def step(self, transport: Transport, turn: Turn) -> bool:
        """Read on; True: nothing is left to read, or to make sure of."""
        files = PhoneFiles(transport, self._token)
        if not self._asked:
            self._tool, self._asked = files.hash_tool(), True
        self._make_sure(files, turn)
        while not turn.over:
            group = self._next_group()
            if not group:
                return True
            if len(group) == 1 and (group[0].alone or group[0].size > SMALL):
                self._read_alone(files, group[0], turn)
                framed = True
            else:
                framed = self._read_group(files, group, turn)
            self._make_sure(files, turn, framed=framed)
        return False

    def close(self) -> None:
        """Let go of files that are not whole; what is of them in the copy stays."""
        for writer in self._open.values():
            writer.close()

    def _next_group(self) -> list[Item]:
        """The next file, or as many small ones as one command reads."""
        group: list[Item] = []
        size = names = 0
        for item in self._items:
            if not item.readable:
                continue
            alone = item.alone or item.size > SMALL
            if group and (alone or size + item.size > _GROUP_BYTES or names + len(item.path) > LIST_BYTES):
                break
            group.append(item)
            size, names = size + item.size, names + len(item.path) + 1
            if alone or len(group) == _GROUP_FILES:
                break
        return group

    def _read_group(self, files: PhoneFiles, group: Sequence[Item], turn: Turn) -> bool:
        """Whether as many bytes came as were listed."""
        split = _Split(self._items, group, turn)
        try:
            files.pour([item.path for item in group], split)
        except (TransportError, TurnOver):
            if split.current is not None:
                # Begun anew each time it might never come to its end; by itself it goes on where it was.
                split.current.alone = True
            raise
        finally:
            split.close()
        # Those that did not come are gone, shorter than they were, or closed to us: each is looked at by itself.
        for item in group:
            item.alone = item.alone or item.sha256 is None
        return split.framed

    def _read_alone(self, files: PhoneFiles, item: Item, turn: Turn) -> None:
        found = files.stats([item.path]).get(item.path)
        if found is None:
            self._close(item)
            item.end("missing", "vanished")
            turn.telling.ended()
            return
        if (found.size, found.mtime) != (item.size, item.mtime):
            self._close(item)
            item.size, item.mtime = found.size, found.mtime
        writer = self._open.get(item.number)
        if writer is None:
            writer = self._items.copy.resume(item.number, item.size)
            # What was read in a former run of this agent counts: the whole is to be moved once.
            turn.telling.done_bytes += writer.held
            self._open[item.number] = writer
        start = writer.rewind()
        whole = True
        try:
            files.pour_from(item.path, start, _sink(writer, turn, item.size - start))
        except _Enough:
            whole = False
        except Refused:
            self._close(item)
            item.end("failed", "unreadable")
            turn.telling.ended()
            return
        except TransportError:
            _cut(item, moved=writer.held > start)
            raise
        del self._open[item.number]
        sha256 = writer.finish()
        self._items.got(item, sha256, writer.held)
        turn.telling.ended()
        if not whole:
            # The phone is in the middle of its answer: this connection is of no more use.
            raise TurnOver

    def _close(self, item: Item) -> None:
        writer = self._open.pop(item.number, None)
        if writer is not None:
            writer.close()
            self._items.copy.drop(item.number)

    def _make_sure(self, files: PhoneFiles, turn: Turn, *, framed: bool = False) -> None:
        """Hold what came against the old phone's own hashes.

        `framed`: it came in a stream of the listed length. Only then, and when all others of it are right, can what
        came of a file that is gone meanwhile be nothing but that file's content.
        """
        for group in _groups([item for item in self._items if item.sha256 and not item.sure]):
            told = files.hashes([item.path for item in group], self._tool) if self._tool else {}
            sizes = {} if self._tool else files.stats([item.path for item in group])
            same: list[Item] = []
            gone: list[Item] = []
            other: list[Item] = []
            for item in group:
                if self._tool is None:
                    found = sizes.get(item.path)
                    there, fits = found is not None, found == Found(item.path, item.size, item.mtime)
                else:
                    there, fits = item.path in told, told.get(item.path) == self._hash(item)
                (same if fits else other if there else gone).append(item)
            for item in other:
                self._unsure(item, "changed")
            for item in gone:
                if framed and not other:
                    # Nothing is lost by keeping what was read: it is moved, and listed.
                    self._items.doubted(item, "vanished")
                else:
                    item.alone = True
                    self._items.forget(item)
            self._items.surely(same)
            turn.telling.tell()

    def _unsure(self, item: Item, why: str) -> None:
        item.reads += 1
        if item.reads >= _MOST_READS:
            self._items.doubted(item, why)
        else:
            item.alone = True
            self._items.forget(item)

    def _hash(self, item: Item) -> str | None:
        """As the old phone's tool would tell it; None when the copy's file is damaged."""
        if self._tool == "sha256sum":
            return item.sha256
        digest = hashlib.sha1(usedforsecurity=False)
        try:
            for text in self._items.copy.read(item.number):
                digest.update(text)
        except CopyDamaged:
            return None
        return digest.hexdigest()


class _Split:
    """A sink that cuts one stream into the files of a group, by the sizes that were listed.

    A file that has become longer or shorter shifts those behind it: their hashes tell, and they are read anew.
    """

    def __init__(self, items: Items, group: Sequence[Item], turn: Turn) -> None:
        self._items = items
        self._turn = turn
        self._left = list(reversed(group))
        self._writer: Appender | None = None
        self._due = 0
        self._extra = False
        self.current: Item | None = None
        self._finish_empty()

    def __call__(self, piece: bytes) -> None:
        view = memoryview(piece)
        while view and (self._writer is not None or self._begin()):
            taken = view[: self._due]
            view = view[len(taken) :]
            self._due -= len(taken)
            writer = self._writer
            assert writer is not None
            writer.write(bytes(taken))
            if not self._due:
                self._finish()
        self._extra = self._extra or bool(view)
        self._turn.moved(len(piece))

    @property
    def framed(self) -> bool:
        """As many bytes came as were listed, no more and no fewer."""
        return self._writer is None and not self._left and not self._extra

    def close(self) -> None:
        """Let go of a file that did not come whole."""
        if self._writer is not None:
            self._writer.close()

    def _begin(self) -> bool:
        if not self._left:
            return False
        self.current = self._left.pop()
        self._due = self.current.size
        self._writer = self._items.copy.create(self.current.number)
        return True

    def _finish(self) -> None:
        assert self._writer is not None
        assert self.current is not None
        writer, self._writer = self._writer, None
        self._items.got(self.current, writer.finish(), self.current.size)
        self._turn.telling.ended()
        self.current = None
        self._finish_empty()

    def _finish_empty(self) -> None:
        while self._left and self._left[-1].size == 0 and self._begin():
            self._finish()


class _Enough(Exception):
    """As much came of a file as it was said to have, and more comes."""


def _sink(writer: Appender, turn: Turn, most: int) -> Callable[[bytes], None]:
    """Takes `most` bytes: one that grows as fast as it is read would else fill the disk. Raise `_Enough`."""
    left = [most]

    def take(piece: bytes) -> None:
        taken = piece[: left[0]]
        left[0] -= len(taken)
        writer.write(taken)
        if len(taken) < len(piece):
            raise _Enough
        turn.moved(len(piece))

    return take


def _cut(item: Item, *, moved: bool) -> None:
    """A phone that goes away at the same file each time must not keep all the others from being moved."""
    item.cuts = 0 if moved else item.cuts + 1
    if item.cuts > _MOST_CUTS:
        item.end("failed", "unreadable")


def _groups(items: Sequence[Item]) -> list[list[Item]]:
    """Such that one list holds their names."""
    groups: list[list[Item]] = []
    size = LIST_BYTES + 1
    for item in items:
        if size + len(item.path) > LIST_BYTES or len(groups[-1]) == _GROUP_FILES:
            groups.append([])
            size = 0
        groups[-1].append(item)
        size += len(item.path) + 1
    return groups
