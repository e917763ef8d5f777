"""Which files are moved and how far each is, kept in the journal of the copy."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agent.transfer.phone import Found
from agent.transfer.store import CopyStore

State = Literal["verified", "differs", "failed", "skipped", "missing"]
_EVENT_ITEMS = 500
_BESIDE = "（旧手机{}）"
MAX_NAMES = 20
MAX_FILES = 200_000
"""As many as the server takes the list of."""
_MAX_TEXT = 4_000


@dataclass
class Item:
    """One file of the old phone; `path` is relative to the storage's root, with `./` before it.

    `sha256` is set when its content is whole in the copy, `size` and `mtime` are then those of the content; `sure`: the
    old phone's own hash is the same. `doubt`: why the content may not be the file's. `target`: its path on the new
    phone, where it was seen to be. `state` and `reason` are its end.
    """

    number: int
    path: bytes
    size: int
    mtime: int
    sha256: str | None = None
    sure: bool = False
    doubt: str | None = None
    target: bytes | None = None
    state: State | None = None
    reason: str | None = None
    alone: bool = False
    reads: int = 0
    cuts: int = 0
    writes: int = 0
    had: int = 0
    name: int = 0

    @property
    def readable(self) -> bool:
        """It is still to be read."""
        return self.state is None and self.sha256 is None

    @property
    def writable(self) -> bool:
        """It is still to be written."""
        return self.state is None and self.sha256 is not None and self.target is None

    def end(self, state: State, reason: str | None) -> None:
        self.state, self.reason = state, reason

    def wanted_name(self) -> bytes:
        """The path to try on the new phone: its own, or one beside it while others have that."""
        return self.path if self.name == 0 else beside(self.path, self.name)


class Items:
    """All files of a transfer, in the order in which they were found."""

    def __init__(self, copy: CopyStore) -> None:
        self.copy = copy
        self._by_path: dict[bytes, Item] = {}
        self._by_number: dict[int, Item] = {}
        self._now: set[bytes] = set()
        for event in copy.events:
            self._take(event)

    def __iter__(self) -> Iterator[Item]:
        return iter(item for item in self._by_path.values() if item.path in self._now or item.sha256)

    def listed(self, found: Iterable[Found]) -> None:
        """What the old phone holds now. A file that changed since it was read is read again."""
        new = []
        for file in found:
            self._now.add(file.path)
            known = self._by_path.get(file.path)
            if known is None:
                known = Item(self.copy.new_number(), file.path, file.size, file.mtime)
                self._keep(known)
                new.append(known)
            elif known.sha256 is None or (known.size, known.mtime) != (file.size, file.mtime):
                self.forget(known)
                known.size, known.mtime = file.size, file.mtime
        for start in range(0, len(new), _EVENT_ITEMS):
            rows = [[i.number, _text(i.path), i.size, i.mtime] for i in new[start : start + _EVENT_ITEMS]]
            self.copy.log({"e": "files", "i": rows})

    def got(self, item: Item, sha256: str, size: int) -> None:
        """Its content is whole in the copy."""
        item.sha256, item.size = sha256, size
        self.copy.log({"e": "got", "n": item.number, "h": sha256, "s": size, "m": item.mtime})

    def surely(self, items: Sequence[Item]) -> None:
        """The old phone says the same of their contents."""
        for item in items:
            item.sure, item.doubt = True, None
        if items:
            self.copy.log({"e": "sure", "n": [item.number for item in items]})

    def doubted(self, item: Item, why: str) -> None:
        """Its content is kept and moved, and listed as a difference."""
        item.sure, item.doubt = True, why
        self.copy.log({"e": "doubt", "n": item.number, "w": why})

    def forget(self, item: Item) -> None:
        """Its content is to be read anew."""
        if item.sha256 is not None:
            self.copy.log({"e": "forgot", "n": item.number})
        _forget(item)

    def at(self, items: Sequence[Item]) -> None:
        """They stand on the new phone under the names that were tried."""
        for item in items:
            item.target = item.wanted_name()
        if items:
            self.copy.log({"e": "at", "i": [[item.number, item.name] for item in items]})

    def not_there(self, item: Item) -> None:
        """What stood on the new phone does so no more: it is written again."""
        item.target, item.name = None, 0

    def _keep(self, item: Item) -> None:
        self._by_path[item.path] = item
        self._by_number[item.number] = item

    def _take(self, event: dict[str, Any]) -> None:
        kind = event["e"]
        if kind == "files":
            for number, path, size, mtime in event["i"]:
                self._keep(Item(number, path.encode("utf-8", "surrogateescape"), size, mtime))
        elif kind == "at":
            for number, name in event["i"]:
                item = self._by_number[number]
                item.name = name
                item.target = item.wanted_name()
        elif kind == "sure":
            for number in event["n"]:
                self._by_number[number].sure = True
        elif kind in ("got", "doubt", "forgot"):
            self._take_one(kind, self._by_number[event["n"]], event)

    def _take_one(self, kind: str, item: Item, event: dict[str, Any]) -> None:
        if kind == "got":
            item.sha256, item.size, item.mtime, item.sure = event["h"], event["s"], event["m"], False
        elif kind == "doubt":
            item.sure, item.doubt = True, event["w"]
        else:
            _forget(item)


def _forget(item: Item) -> None:
    item.sha256 = item.doubt = item.target = None
    item.sure, item.name = False, 0


def excluded(folder: bytes, path: bytes, globs: Sequence[str]) -> bool:
    """Whether a glob fits the path below its folder, or any name on it."""
    below = _text(path[len(folder) :].lstrip(b"/"))
    names = (below, *below.split("/"))
    return any(fnmatch.fnmatchcase(name, glob) for glob in globs for name in names)


def beside(path: bytes, number: int) -> bytes:
    """The name beside a file that is there already: `name（旧手机）.ext`, `name（旧手机2）.ext` …"""
    folder, slash, name = path.rpartition(b"/")
    stem, dot, ending = name.rpartition(b".")
    if not stem:
        stem, dot, ending = name, b"", b""
    mark = _BESIDE.format("" if number == 1 else number).encode()
    # 255 bytes is what a file system takes; a character must not be cut in two.
    room = 255 - len(mark) - len(dot) - len(ending)
    if len(stem) > room:
        stem = stem[: max(1, room)].decode("utf-8", "ignore").encode()
    return folder + slash + stem + mark + dot + ending


def shown(path: bytes) -> str:
    """A path for people: without `./`, bytes that are no UTF-8 as `\\xNN`."""
    text = path.removeprefix(b"./").decode("utf-8", "backslashreplace")
    return re.sub("[\ud800-\udfff\0]", "�", text)[:_MAX_TEXT]


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")
