"""The packages of phones that print what they printed before: nearly every reading of nearly every phone.

Reading some hundred kilobytes of lists and writing them as canonical JSON is most of what a reading costs this machine,
and the same texts always come to the same.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from agent import wire
from agent.snapshot_packages import packages_part
from agent.snapshot_parts import SectionReader

MOST_BYTES = 32 * 2**20
"""Of what is kept: that of some thousand phones."""
_OBJECT_BYTES = 256
"""What an entry or a note takes beside its text."""
_KINDS = ("packages", "system", "disabled")


@dataclass(frozen=True, slots=True)
class _Known:
    packages: bytes
    unread: tuple[dict[str, str], ...]

    @property
    def size(self) -> int:
        """In bytes. Notes count: a phone may name a hundred thousand users, and let none of them be read."""
        notes = sum(_OBJECT_BYTES + len(note["section"]) + len(note["reason"]) for note in self.unread)
        return len(self.packages) + _OBJECT_BYTES + notes


@dataclass
class KnownPackages:
    """Any number of threads may ask."""

    most_bytes: int = MOST_BYTES
    _known: OrderedDict[bytes, _Known] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def part(self, reader: SectionReader, users: list[int]) -> bytes | None:
        """As `packages_part`, but canonical JSON; the same notes."""
        print_ = reader.fingerprint(["details", *(f"{kind}.{user}" for user in users for kind in _KINDS)])
        known = self._get(print_)
        if known is not None:
            reader.unread += known.unread
            return known.packages
        noted = len(reader.unread)
        rows = packages_part(reader, users)
        if rows is None:
            return None
        known = _Known(wire.canonical_json(rows), tuple(reader.unread[noted:]))
        self._put(print_, known)
        return known.packages

    def _get(self, print_: bytes) -> _Known | None:
        with self._lock:
            known = self._known.get(print_)
            if known is not None:
                self._known.move_to_end(print_)
            return known

    def _put(self, print_: bytes, known: _Known) -> None:
        size = known.size
        with self._lock:
            if print_ in self._known or size > self.most_bytes:
                return
            self._known[print_] = known
            self._bytes += size
            while self._bytes > self.most_bytes:
                _, oldest = self._known.popitem(last=False)
                self._bytes -= oldest.size
