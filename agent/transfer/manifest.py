"""What was moved, entry by entry, as it is told to the server: pages of one list, with the list's hash on each."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agent import wire

PATH = "/api/v1/agent/manifest"
PAGE_ENTRIES = 5_000
Entry = dict[str, Any]
_MEMBERS = ("part", "path", "size", "mtime", "sha256", "state", "reason")


@dataclass(frozen=True)
class Manifest:
    """The whole list. `sha256` is over each entry's canonical JSON and a line end."""

    entries: Sequence[Entry]
    sha256: str

    @property
    def pages(self) -> int:
        return max(1, -(-len(self.entries) // PAGE_ENTRIES))

    def page(self, page: int) -> Sequence[Entry]:
        return self.entries[page * PAGE_ENTRIES : (page + 1) * PAGE_ENTRIES]

    def told(self) -> dict[str, Any]:
        """As the last word names it."""
        return {"sha256": self.sha256, "entries": len(self.entries), "pages": self.pages}

    def body(self, page: int, command: str, transfer: str) -> bytes:
        """One page's JSON, packed."""
        body = {
            "schema": wire.SCHEMA,
            "command": command,
            "transfer": transfer,
            "page": page,
            "pages": self.pages,
            "sha256": self.sha256,
            "entries": list(self.page(page)),
        }
        return gzip.compress(json.dumps(body, ensure_ascii=False).encode(), 6, mtime=0)


def manifest(entries: Sequence[Entry]) -> Manifest:
    """Of entries with at least the members of an entry; others are left out."""
    whole = [{name: entry.get(name) for name in _MEMBERS} for entry in entries]
    digest = hashlib.sha256()
    for entry in whole:
        digest.update(wire.canonical_json(entry) + b"\n")
    return Manifest(whole, digest.hexdigest())
