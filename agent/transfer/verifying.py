"""Whether the new phone holds every file: asked of that phone itself, of each file in its place, at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from agent.transfer.items import Item, Items, shown
from agent.transfer.phone import LIST_BYTES, PhoneFiles
from agent.transfer.turns import Turn
from agent.transport import Transport

_GROUP_BYTES, _GROUP_FILES = 2**30, 200
_MTIME_SLACK_S = 2
"""Some file systems keep two seconds as one."""
Entry = dict[str, Any]


class Verifying:
    """`step` is one turn at the new phone; it sets the end of each file. Raise `TransportError`."""

    def __init__(self, items: Items, token: str) -> None:
        self._items = items
        self._token = token

    def step(self, transport: Transport, turn: Turn) -> bool:
        """Verify on; True: every file has its end."""
        files = PhoneFiles(transport, self._token)
        while not turn.over:
            group = self._next_group()
            if not group:
                return True
            names = [item.target for item in group if item.target]
            told, found = files.hashes(names), files.stats(names)
            for item in group:
                assert item.target is not None
                stat = found.get(item.target)
                judge(item, told.get(item.target), stat.mtime if stat else None)
            turn.telling.done_bytes += sum(item.size for item in group)
            turn.telling.ended(len(group))
        return False

    def _next_group(self) -> list[Item]:
        group: list[Item] = []
        size = names = 0
        for item in self._items:
            if item.state is not None or item.target is None:
                continue
            size, names = size + item.size, names + len(item.target) + 1
            if group and (size > _GROUP_BYTES or names > LIST_BYTES or len(group) == _GROUP_FILES):
                break
            group.append(item)
        return group


def judge(item: Item, sha256: str | None, mtime: int | None) -> None:
    """Give a file that was written its end, by what the new phone says is in its place."""
    if sha256 is None:
        item.end("missing", "not_there")
    elif sha256 != item.sha256:
        item.end("differs", "hash")
    elif item.doubt:
        item.end("differs", item.doubt)
    elif item.name:
        item.end("verified", "renamed")
    elif mtime is None or abs(mtime - item.mtime) > _MTIME_SLACK_S:
        item.end("verified", "mtime")
    else:
        item.end("verified", None)


def file_entries(items: Items, unread_folders: Sequence[str]) -> list[Entry]:
    """The manifest's entries of files, in the order of their paths. A file without an end was not moved."""
    entries = [
        {
            "part": "files",
            "path": shown(item.target or item.path),
            "size": item.size,
            "mtime": item.mtime,
            "sha256": item.sha256,
            "state": item.state or "failed",
            "reason": item.reason if item.state else "not_moved",
        }
        for item in items
    ]
    entries += [
        {
            "part": "files", "path": shown(folder.encode()), "size": None, "mtime": None, "sha256": None,
            "state": "failed", "reason": "folder_unread",
        }
        for folder in unread_folders
    ]  # fmt: skip
    return sorted(entries, key=lambda entry: str(entry["path"]))


def file_counts(entries: Sequence[Entry], items: Items) -> dict[str, int]:
    """The numbers of the last word. `found` is every entry; what is gone counts among `failed`."""
    states = Counter(str(entry["state"]) for entry in entries)
    moved = [item for item in items if item.target is not None]
    return {
        "found": len(entries),
        "moved": len(moved),
        "verified": states["verified"],
        "differs": states["differs"],
        "failed": states["failed"] + states["missing"],
        "skipped": states["skipped"],
        "bytes": sum(item.size for item in moved),
    }
