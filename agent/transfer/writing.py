"""From the encrypted copy into the new phone: into a folder of ours first, hashed there, then put in their places.

Nothing of the new phone's is ever written over. A place that is taken by the same content is where the file is; one
that is taken by another is left, and the file stands beside it under a name of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.errors import Refused, TransportError
from agent.transfer.items import MAX_NAMES, Item, Items
from agent.transfer.phone import LIST_BYTES, ROOT, WRITE_BLOCK, PhoneFiles, stage_of
from agent.transfer.sealed import CopyDamaged
from agent.transfer.turns import Turn, TurnOver
from agent.transport import Transport

WHOLE = 16 * 2**20
"""A file up to this size is sent in one piece; a larger one goes on where it was cut off."""
SPARE = 256 * 2**20
"""What the new phone is left with."""
_GROUP_BYTES, _GROUP_FILES = 64 * 2**20, 100
_MOST_WRITES = 3
_SEND_S = 3600.0
_MOST_CUTS = 30


class NoRoom(Exception):
    """The new phone has no room for what is still to come."""


class Writing:
    """`step` is one turn at the new phone. Raise `TransportError`, `NoRoom`, `TurnOver`."""

    def __init__(self, items: Items, token: str) -> None:
        self._items = items
        self._token = token
        self._stage = stage_of(token)
        self._unfed = False
        self._staged: dict[bytes, int] = {}

    def step(self, transport: Transport, turn: Turn) -> bool:
        """Write on; True: nothing is left to write."""
        files = PhoneFiles(transport, self._token)
        # What a turn brought before it was cut off need not come again.
        self._staged = {found.path: found.size for found in files.listed(self._stage)[0]}
        while not turn.over:
            group = self._next_group()
            if not group:
                return True
            waiting = self._not_there_yet(files, group, turn)
            here = [item for item in waiting if self._bring(files, item, turn)]
            self._place(files, self._proved(files, here), turn)
        return False

    def clear(self, transport: Transport, turn: Turn) -> bool:
        """Leave nothing of ours on the phone, and let its gallery know of the new files. True: done."""
        files = PhoneFiles(transport, self._token)
        folders = {item.target.rpartition(b"/")[0] for item in self._items if item.target}
        files.scan(sorted(folders)[:_GROUP_FILES])
        files.remove(self._stage)
        turn.telling.ended(0)
        return True

    def _next_group(self) -> list[Item]:
        group: list[Item] = []
        size = names = 0
        for item in self._items:
            if not item.writable:
                continue
            # Their lists hold each file's name and the one in our folder.
            size, names = size + item.size, names + len(item.wanted_name()) + 100
            if group and (size > _GROUP_BYTES or names > LIST_BYTES):
                break
            group.append(item)
            if len(group) == _GROUP_FILES:
                break
        return group

    def _not_there_yet(self, files: PhoneFiles, group: Sequence[Item], turn: Turn) -> list[Item]:
        """Settle those whose place holds their content; the others get a name that is free."""
        left = list(group)
        free: list[Item] = []
        while left:
            found = files.stats([item.wanted_name() for item in left])
            alike = [i.wanted_name() for i in left if i.wanted_name() in found]
            told = files.hashes(alike) if alike else {}
            same = [i for i in left if told.get(i.wanted_name()) == i.sha256]
            self._items.at(same)
            turn.telling.done_bytes += sum(item.size for item in same)
            turn.telling.ended(len(same))
            free += [i for i in left if i.wanted_name() not in found]
            left = [i for i in left if i.target is None and i.wanted_name() in found]
            for item in left:
                self._next_name(item)
            left = [item for item in left if item.state is None]
        return free

    def _next_name(self, item: Item) -> None:
        item.name += 1
        if item.name > MAX_NAMES:
            item.end("failed", "no_name")

    def _bring(self, files: PhoneFiles, item: Item, turn: Turn) -> bool:
        """Put one file's content into our folder; False: not this time."""
        name = self._name(item)
        if self._staged.pop(b"./" + name.encode(), None) == item.size:
            turn.telling.had(item.size)
            return True
        try:
            if item.size > WHOLE and not self._unfed:
                return self._bring_on(files, item, name, turn)
            chunks = _counted(self._items.copy.read(item.number), turn, to_the_end=True)
            files.transport.send(chunks, f"{ROOT}/{name}", _SEND_S, mtime=item.mtime)
        except Refused:
            self._refused(files, item)
            return False
        except CopyDamaged as exc:
            # It is read again from the old phone. The transport was in the middle of it, and is of no more use.
            self._items.forget(item)
            raise TurnOver from exc
        except TransportError:
            # A phone that goes away at the same file each time must not keep all the others from being moved.
            item.cuts += 1
            if item.cuts > _MOST_CUTS:
                item.end("failed", "not_written")
            raise
        return True

    def _bring_on(self, files: PhoneFiles, item: Item, name: str, turn: Turn) -> bool:
        """Write a large file on from where it is; the turn may end before it does."""
        have = min(files.size(name), item.size) // WRITE_BLOCK * WRITE_BLOCK
        item.cuts, item.had = (0 if have > item.had else item.cuts), have
        if have < item.size:
            chunks = _counted(self._items.copy.read(item.number, have), turn, to_the_end=False)
            try:
                files.write_at(name, have, chunks, _SEND_S)
            except Refused:
                # A phone that cannot be fed gets the file in one piece.
                self._unfed = have == 0 and files.size(name) == 0
                if not self._unfed:
                    raise
        return files.size(name) >= item.size

    def _refused(self, files: PhoneFiles, item: Item) -> None:
        """Raise `NoRoom`, or note that the phone does not take this file."""
        free = files.free_bytes()
        if free is not None and free < item.size + SPARE // 8:
            raise NoRoom
        item.writes += 1
        if item.writes >= _MOST_WRITES:
            item.end("failed", "not_taken")

    def _proved(self, files: PhoneFiles, items: Sequence[Item]) -> list[Item]:
        """Those whose content in our folder is the right one; of the others it is removed."""
        names = {b"./" + self._name(item).encode(): item for item in items}
        told = files.hashes(list(names)) if names else {}
        proved = []
        for name, item in names.items():
            if told.get(name) == item.sha256:
                if item.size > WHOLE:
                    files.touch(name, item.mtime)
                proved.append(item)
                continue
            files.remove(self._name(item))
            item.writes += 1
            if item.writes >= _MOST_WRITES:
                item.end("failed", "not_written")
        return proved

    def _place(self, files: PhoneFiles, items: Sequence[Item], turn: Turn) -> None:
        moves = [(b"./" + self._name(item).encode(), item.wanted_name()) for item in items]
        placed = files.place(moves) if moves else []
        moved = [item for item, what in zip(items, placed, strict=True) if what == "moved"]
        self._items.at(moved)
        for item, what in zip(items, placed, strict=True):
            if what == "exists":
                self._next_name(item)
            elif what == "failed":
                item.end("failed", "not_placed")
        turn.telling.ended(len(moved))

    def _name(self, item: Item) -> str:
        """In our folder: another content is another file."""
        return f"{self._stage}/{item.number}-{(item.sha256 or '')[:16]}"


def _counted(chunks: Iterator[bytes], turn: Turn, *, to_the_end: bool) -> Iterator[bytes]:
    """The pieces, each told of; they may end early, between two of a whole MiB, when the turn is over."""
    for chunk in chunks:
        yield chunk
        turn.telling.moved(len(chunk))
        if turn.over and not to_the_end:
            return
