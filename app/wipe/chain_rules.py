"""A wipe's way as people look at it: its links in order, since when it stands where it is. Plain values only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal, Protocol

from app.wipe.states import State

_S = State
Place = Literal["over", "untold", "now", "ahead"]
"""`untold`: what came later is known, and nobody said whether this was so."""
COLOURS: dict[str, str] = {
    _S.DRAFT: "quiet", _S.REQUESTED: "busy", _S.APPROVED: "busy", _S.ARMED: "unknown", _S.QUEUED: "busy",
    _S.DELIVERED: "busy", _S.ACKNOWLEDGED: "busy", _S.SILENT: "bad", _S.INSPECTED: "unknown", _S.VERIFIED: "good",
    _S.CERTIFIED: "good", _S.CANCELLED: "quiet", _S.EXPIRED: "quiet", _S.FAILED: "bad", _S.UNVERIFIED: "bad",
}  # fmt: skip
LIVE = (_S.QUEUED, _S.DELIVERED)
"""States that go on by themselves within minutes, and that nobody types in: the page follows."""


class Lived(Protocol):
    """What is asked of a wipe here."""

    state: str
    created_at: dt.datetime
    created_by: str
    updated_at: dt.datetime
    requested_at: dt.datetime | None
    requested_by: str | None
    approved_at: dt.datetime | None
    approved_by: str | None
    second_at: dt.datetime | None
    second_by: str | None
    arms_at: dt.datetime | None
    released_at: dt.datetime | None
    released_by: str | None
    done_by: str | None
    ordered_at: dt.datetime | None
    acknowledged_at: dt.datetime | None
    silent_at: dt.datetime | None
    inspected_at: dt.datetime | None
    verified_at: dt.datetime | None
    verified_by: str | None
    ended_at: dt.datetime | None


@dataclass(frozen=True)
class Link:
    """One link of the chain. `by`: `Principal.user`s; `at` None: not reached, or not known when."""

    name: str
    place: Place
    at: dt.datetime | None = None
    by: tuple[str, ...] = ()


_NAMES = (
    "填写清单",
    "申请",
    "另一人批准",
    "冷静期",
    "在手机旁执行",
    "手机接受指令",
    "检查",
    "第二人确认",
    "出具证明",
)
_AT: dict[str, int] = {
    _S.DRAFT: 0, _S.REQUESTED: 2, _S.APPROVED: 3, _S.ARMED: 4, _S.QUEUED: 4, _S.DELIVERED: 5, _S.ACKNOWLEDGED: 6,
    _S.SILENT: 6, _S.INSPECTED: 7, _S.VERIFIED: 8, _S.CERTIFIED: 9, _S.FAILED: 7, _S.UNVERIFIED: 6,
}  # fmt: skip
"""Which link is being worked on."""
_ACCEPTED = 5


def chain(wipe: Lived) -> list[Link]:
    """All nine links. Of a wipe that ended before anything was ordered those count that have their instant."""
    facts = _facts(wipe)
    stands = _AT.get(wipe.state)
    if stands is None:
        stands = next((place for place, (at, _) in enumerate(facts) if at is None), len(facts))
    links = []
    for place, (name, (at, by)) in enumerate(zip(_NAMES, facts, strict=True)):
        where: Place = "over" if place < stands else "now" if place == stands else "ahead"
        if where == "over" and place == _ACCEPTED and at is None:
            where = "untold"
        reached = where == "over"
        links.append(Link(name, where, at if reached else None, tuple(one for one in by if one and reached)))
    return links


def _facts(wipe: Lived) -> list[tuple[dt.datetime | None, tuple[str | None, ...]]]:
    certified = wipe.updated_at if wipe.state == State.CERTIFIED else None
    return [
        (wipe.created_at if wipe.requested_at else None, (wipe.created_by,)),
        (wipe.requested_at, (wipe.requested_by,)),
        (wipe.second_at or wipe.approved_at, (wipe.approved_by, wipe.second_by)),
        (wipe.arms_at if wipe.state != State.APPROVED else None, ()),
        (wipe.released_at, (wipe.released_by,)),
        (wipe.acknowledged_at, ()),
        (wipe.inspected_at, ()),
        (wipe.verified_at, (wipe.verified_by,)),
        (certified, ()),
    ]


def since(wipe: Lived) -> dt.datetime:
    """When it came to stand where it is, as far as that is noted; else when it last changed."""
    known: dict[str, dt.datetime | None] = {
        _S.DRAFT: wipe.created_at, _S.REQUESTED: wipe.requested_at,
        _S.APPROVED: wipe.second_at or wipe.approved_at, _S.QUEUED: wipe.released_at,
        _S.DELIVERED: wipe.ordered_at, _S.ACKNOWLEDGED: wipe.acknowledged_at, _S.SILENT: wipe.silent_at,
        _S.INSPECTED: wipe.inspected_at, _S.VERIFIED: wipe.verified_at, _S.CANCELLED: wipe.ended_at,
        _S.EXPIRED: wipe.ended_at,
    }  # fmt: skip
    return known.get(wipe.state) or wipe.updated_at


def reached(wipe: Lived) -> int:
    """How many of the nine links are behind it."""
    return sum(1 for link in chain(wipe) if link.place in ("over", "untold"))
