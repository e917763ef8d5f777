"""What the new phone lacks, for the manifest: by the contact's place and the kind of field, never by what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from agent.transfer.parts import PartReport
from agent.transfer.people.card import Card
from agent.transfer.people.match import Matched, fill

MOST = 200


def entry(part: str, path: str, state: str, reason: str) -> dict[str, Any]:
    """One line of the manifest."""
    known = {"part": part, "path": path, "state": state, "reason": reason}
    return {**known, "size": None, "mtime": None, "sha256": None}


def contacts_report(
    old: Sequence[Card], new: Mapping[int, Card], matched: Matched, note: str | None
) -> PartReport:
    """`note` is why something was left undone; without one a contact that differs is `changed_by_phone`."""
    same, found = len(matched.same), len(old)
    whole = same == found and not matched.extra
    reason = None if whole else note or ("extra" if same == found else "changed_by_phone")
    return PartReport(
        "contacts",
        "verified" if whole else "differences",
        found,
        same + len(matched.partly),
        same,
        found - same,
        reason,
        list(islice(_entries(old, new, matched), MOST)),
    )


def _entries(old: Sequence[Card], new: Mapping[int, Card], matched: Matched) -> Iterator[dict[str, Any]]:
    for place in matched.missing:
        yield entry("contacts", f"contacts/{place + 1}", "missing", "not_there")
    for place, raw in sorted(matched.partly.items()):
        lack = fill(old[place], new[raw])
        told = [(row.kind(), "field_missing") for row in lack.add]
        told += [(wanted.kind(), "field_changed") for _, wanted in lack.change]
        told += [(row.kind(), "field_extra") for row in lack.extra]
        told += [("photo", "photo_missing")] if lack.photo else []
        told += [("star", "star_missing")] if lack.star else []
        for kind, reason in sorted(set(told)) or [("contact", "field_extra")]:
            yield entry("contacts", f"contacts/{place + 1}/{kind}", "differs", reason)
    if matched.extra:
        yield entry("contacts", "contacts/extra", "differs", "extra_on_new_phone")
