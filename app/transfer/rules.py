"""What a gateway's last word proves, held against the manifest. Plain values only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

PARTS = ("files", "contacts", "calls", "messages")
ENTRY_STATES = ("verified", "differs", "failed", "skipped", "missing")
SHORT = tuple(state for state in ENTRY_STATES if state != "verified")
"""What is not proved to be on the new phone."""
PAGE_ENTRIES = 5_000
MAX_PAGES = 40
MAX_PATH = 4_096
MAX_NUMBER = 2**63 - 1
Verdict = Literal["verified", "differences", "failed"]


@dataclass(frozen=True)
class FileCounts:
    """Numbers of files, and the bytes that were moved."""

    found: int
    moved: int
    verified: int
    differs: int
    failed: int
    skipped: int
    bytes: int


@dataclass(frozen=True)
class PartCount:
    """Of contacts, calls or messages; None: not known."""

    name: str
    outcome: str
    found: int | None
    moved: int | None
    verified: int | None
    differs: int | None
    reason: str | None


@dataclass(frozen=True)
class Final:
    """A gateway's last word on an order that it carried out; `copy` is what became of its encrypted copy."""

    outcome: str
    reason: str | None
    files: FileCounts | None
    parts: tuple[PartCount, ...]
    copy: str
    manifest_sha256: str | None
    manifest_entries: int | None
    seconds: int


@dataclass(frozen=True)
class ManifestFacts:
    """A manifest that came whole: its hash was recomputed here. `counts`: (part, state) → entries."""

    sha256: str
    entries: int
    counts: Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Judged:
    """`why`: the code of the first thing that keeps it from being verified."""

    verdict: Verdict
    why: str | None = None


def judge(final: Final, wanted: Collection[str], manifest: ManifestFacts | None) -> Judged:
    """What is proved. The gateway's own "verified" counts only where its manifest says the same, entry by entry."""
    if final.outcome in ("failed", "cancelled"):
        return Judged("failed", final.reason or final.outcome)
    problem = _manifest_problem(final, wanted, manifest)
    if problem is None and "files" in wanted:
        problem = _files_problem(final.files, manifest)
    if problem is None:
        problem = _parts_problem(final.parts, wanted, manifest)
    if problem is None and final.outcome != "verified":
        problem = final.reason or "differs"
    return Judged("verified") if problem is None else Judged("differences", problem)


def _manifest_problem(final: Final, wanted: Collection[str], manifest: ManifestFacts | None) -> str | None:
    if manifest is None or (final.manifest_sha256, final.manifest_entries) != (
        manifest.sha256,
        manifest.entries,
    ):
        return "no_manifest"
    if any(part not in wanted for part, _ in manifest.counts):
        return "contradiction"
    return None


def _files_problem(files: FileCounts | None, manifest: ManifestFacts | None) -> str | None:
    if files is None or manifest is None:
        return "no_counts"
    listed = {state: manifest.counts.get(("files", state), 0) for state in ENTRY_STATES}
    if any(listed[state] for state in SHORT):
        return "differs"
    if files.verified != listed["verified"] or files.found != files.verified:
        return "contradiction"
    if files.differs or files.failed or files.skipped:
        return "contradiction"
    return None


def _parts_problem(
    parts: Iterable[PartCount], wanted: Collection[str], manifest: ManifestFacts | None
) -> str | None:
    told = {part.name: part for part in parts}
    for name in PARTS[1:]:
        if name not in wanted:
            continue
        part = told.get(name)
        if part is None:
            return "part_missing"
        if part.outcome != "verified":
            return part.outcome
        if part.differs or part.found is None or part.verified != part.found:
            return "contradiction"
        if manifest is None or any(manifest.counts.get((name, state), 0) for state in SHORT):
            return "differs"
    return None


def rest_s(done: int | None, total: int | None, rate: int | None, told: int | None) -> int | None:
    """Seconds left: as the gateway told, else by its rate; None where neither is known."""
    if told is not None:
        return told
    if done is None or total is None or not rate:
        return None
    return max(0, (total - done) // rate)


def percent(progress: Mapping[str, Any] | None) -> int | None:
    """How much of the bytes is done, from 0 to 100; None where it is not known."""
    total = (progress or {}).get("total_bytes")
    done = (progress or {}).get("done_bytes")
    if not total or done is None:
        return None
    return min(100, int(done * 100 // total))
