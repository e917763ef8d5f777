"""What gateways say of a transfer, checked by hand: words on an order, pages of a manifest."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.wire import canonical_json
from app.kernel.ids import parse_id
from app.readings import BadEntry
from app.transfer.rules import (
    ENTRY_STATES,
    MAX_NUMBER,
    MAX_PAGES,
    MAX_PATH,
    PAGE_ENTRIES,
    PARTS,
    FileCounts,
    Final,
    PartCount,
)

STAGES = (
    "identity", "space", "listing", "reading", "writing", "verifying", "people", "tap_needed", "manifest",
)  # fmt: skip
OUTCOMES = ("verified", "differences", "failed", "cancelled")
PART_OUTCOMES = ("verified", "differences", "not_offered", "failed")
COPIES = ("destroyed", "kept", "none")
ENTRY_MEMBERS = ("part", "path", "size", "mtime", "sha256", "state", "reason")
_PROGRESS = ("done_bytes", "total_bytes", "done_files", "total_files", "rate_bps", "left_s")
_COUNTS = ("found", "moved", "verified", "differs", "failed", "skipped", "bytes")
_CODE = re.compile(r"[a-z0-9_]{1,40}")
_SHA = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Page:
    """One page of a manifest; `entries` are whole, with all their members."""

    command_id: uuid.UUID
    transfer_id: uuid.UUID
    page: int
    pages: int
    sha256: str
    entries: Sequence[Mapping[str, Any]]


def parse_progress(detail: Any) -> dict[str, Any]:
    """A word while it works. Raise `BadEntry` for anything but the frozen members."""
    told = _members(detail, ("stage", *_PROGRESS, "note"), "progress")
    found: dict[str, Any] = {"stage": _among(told["stage"], STAGES, "stage")}
    for name in _PROGRESS:
        found[name] = _number(told[name], name, maybe=True)
    found["note"] = _code(told["note"], "note")
    return found


def parse_final(detail: Any) -> Final:
    """The last word on an order that was carried out. Raise `BadEntry`: then nothing of it is known."""
    names = ("outcome", "reason", "files", "parts", "copy", "manifest", "seconds")
    told = _members(detail, names, "result")
    manifest = told["manifest"]
    sha256, entries = None, None
    if manifest is not None:
        listed = _members(manifest, ("sha256", "entries", "pages"), "manifest")
        sha256 = _sha(listed["sha256"], "manifest.sha256")
        entries = _whole(listed["entries"], "manifest.entries")
        _whole(listed["pages"], "manifest.pages")
    seconds = _number(told["seconds"], "seconds", maybe=True)
    return Final(
        outcome=_among(told["outcome"], OUTCOMES, "outcome"),
        reason=_code(told["reason"], "reason"),
        files=_files(told["files"]),
        parts=_parts(told["parts"]),
        copy=_among(told["copy"], COPIES, "copy"),
        manifest_sha256=sha256,
        manifest_entries=entries,
        seconds=seconds or 0,
    )


def plain_final(final: Final) -> dict[str, Any]:
    """As it is kept; `kept_final` reads it."""
    return {
        "outcome": final.outcome,
        "reason": final.reason,
        "files": None if final.files is None else {name: getattr(final.files, name) for name in _COUNTS},
        "parts": [
            {name: getattr(part, name) for name in PartCount.__dataclass_fields__} for part in final.parts
        ],
        "copy": final.copy,
        "manifest": None
        if final.manifest_sha256 is None
        else {"sha256": final.manifest_sha256, "entries": final.manifest_entries, "pages": 0},
        "seconds": final.seconds,
    }


def _files(told: Any) -> FileCounts | None:
    if told is None:
        return None
    counts = _members(told, _COUNTS, "files")
    return FileCounts(**{name: _whole(counts[name], f"files.{name}") for name in _COUNTS})


def _parts(told: Any) -> tuple[PartCount, ...]:
    if type(told) is not list or len(told) > len(PARTS):
        raise BadEntry("parts", "must be a short list")
    found = tuple(_part(one) for one in told)
    if len({part.name for part in found}) != len(found):
        raise BadEntry("parts", "each part once")
    return found


def _part(told: Any) -> PartCount:
    names = ("name", "outcome", "found", "moved", "verified", "differs", "reason")
    part = _members(told, names, "parts")
    numbers = {name: _number(part[name], f"parts.{name}", maybe=True) for name in names[2:6]}
    return PartCount(
        name=_among(part["name"], PARTS[1:], "parts.name"),
        outcome=_among(part["outcome"], PART_OUTCOMES, "parts.outcome"),
        reason=_code(part["reason"], "parts.reason"),
        **numbers,
    )


def parse_page(body: Any) -> Page:
    """Raise `BadEntry` naming the member."""
    names = ("schema", "command", "transfer", "page", "pages", "sha256", "entries")
    told = _members(body, names, "body")
    if told["schema"] != 1:
        raise BadEntry("schema", "must be 1")
    page, pages = _whole(told["page"], "page"), _whole(told["pages"], "pages")
    if not 1 <= pages <= MAX_PAGES or page >= pages:
        raise BadEntry("page", f"must be below pages, which are 1 to {MAX_PAGES}")
    entries = told["entries"]
    if type(entries) is not list or len(entries) > PAGE_ENTRIES:
        raise BadEntry("entries", f"must be a list of at most {PAGE_ENTRIES}")
    if len(entries) < PAGE_ENTRIES and page < pages - 1:
        raise BadEntry("entries", f"only the last page has fewer than {PAGE_ENTRIES}")
    if not entries and page:
        raise BadEntry("entries", "only a manifest of nothing has an empty page")
    return Page(
        _id(told["command"], "command"),
        _id(told["transfer"], "transfer"),
        page,
        pages,
        _sha(told["sha256"], "sha256"),
        [_entry(one, i) for i, one in enumerate(entries)],
    )


def _entry(told: Any, index: int) -> Mapping[str, Any]:
    where = f"entries.{index}"
    entry = _members(told, ENTRY_MEMBERS, where)
    path = entry["path"]
    # Half a character and a NUL are no text for any database.
    if type(path) is not str or len(path) > MAX_PATH or "\0" in path or not _whole_text(path):
        raise BadEntry(f"{where}.path", f"must be a text of at most {MAX_PATH} characters")
    _among(entry["part"], PARTS, f"{where}.part")
    _among(entry["state"], ENTRY_STATES, f"{where}.state")
    _number(entry["size"], f"{where}.size", maybe=True)
    _number(entry["mtime"], f"{where}.mtime", maybe=True, least=-MAX_NUMBER)
    _code(entry["reason"], f"{where}.reason")
    if entry["sha256"] is not None:
        _sha(entry["sha256"], f"{where}.sha256")
    if entry["part"] == "files" and entry["state"] == "verified" and entry["size"] is None:
        raise BadEntry(f"{where}.size", "of a verified file it is known")
    return entry


def line_of(entry: Mapping[str, Any]) -> bytes:
    """One line of the canonical manifest, over which its sha256 goes."""
    return canonical_json({name: entry[name] for name in ENTRY_MEMBERS}) + b"\n"


def _whole_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _members(told: Any, names: Sequence[str], where: str) -> Mapping[str, Any]:
    if type(told) is not dict or told.keys() != set(names):
        raise BadEntry(where, "must be an object with exactly " + " ".join(names))
    return told


def _number(value: Any, where: str, *, maybe: bool = False, least: int = 0) -> int | None:
    if value is None and maybe:
        return None
    if type(value) is not int or not least <= value <= MAX_NUMBER:
        raise BadEntry(where, f"must be a whole number from {least}")
    return value


def _whole(value: Any, where: str) -> int:
    found = _number(value, where)
    assert found is not None
    return found


def _among(value: Any, allowed: Sequence[str], where: str) -> str:
    if type(value) is not str or value not in allowed:
        raise BadEntry(where, "must be one of " + " ".join(allowed))
    return value


def _matching(pattern: re.Pattern[str], words: str) -> Callable[[Any, str], str]:
    def check(value: Any, where: str) -> str:
        if type(value) is not str or pattern.fullmatch(value) is None:
            raise BadEntry(where, words)
        return value

    return check


_sha = _matching(_SHA, "must be 64 hexadecimal digits")
_some_code = _matching(_CODE, "must be a code")


def _code(value: Any, where: str) -> str | None:
    return None if value is None else _some_code(value, where)


def _id(value: Any, where: str) -> uuid.UUID:
    found = parse_id(value) if type(value) is str else None
    if found is None:
        raise BadEntry(where, "must be an id")
    return found
