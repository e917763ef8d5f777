"""Collect what every room tells of one subject."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.history import sources_judging, sources_people, sources_registry, store
from app.history.new_rooms import sources_of_rooms
from app.history.rules import Key, Wanted, after, narrowed, ordered
from app.history.tools import Source, Tools
from app.history.words import ROOMS
from app.kernel.errors import Invalid, NotFound
from app.kernel.paging import decode_cursor, encode_cursor
from app.kernel.tenancy import Principal
from app.kernel.timeline import LifeEvent, Subject

PERSON_SEERS = ("lead", "operations", "finance", "auditor")
"""Who may read a person's history: it holds his money."""
_ORDER = "history"
_SOURCES: tuple[Source, ...] = (
    sources_registry.changes,
    sources_registry.ties,
    sources_registry.custody,
    sources_judging.incidents,
    sources_judging.delegations,
    sources_judging.excuses,
    sources_judging.compliance,
    sources_judging.commands,
    sources_people.secrets,
    sources_people.money,
    sources_people.roles,
    sources_people.papers,
)


@dataclass(frozen=True)
class History:
    """`events`: the page that was asked for, newest first; `total` of them were wanted. `rooms`: key and word of each
    room that tells anything at all.
    """

    subject: Subject
    name: str
    events: list[LifeEvent]
    total: int
    next_cursor: str | None
    rooms: list[tuple[str, str]]


def history(
    session: Session,
    principal: Principal,
    subject: Subject,
    tools: Tools,
    wanted: Wanted,
    *,
    cursor: str | None = None,
    limit: int,
) -> History:
    """Raise `NotFound` for a subject outside the caller's centres, `Forbidden` for a person whose history he may not
    read there.
    """
    seer = principal
    if subject.kind == "employee":
        seer = principal.narrowed(*PERSON_SEERS)
    row = store.find(session, principal, subject)
    if row is None:
        raise NotFound("没有这条档案，或不在您的服务中心 / no such record in your centres")
    if subject.kind == "employee":
        principal.require_role(row.centre_id, *PERSON_SEERS)
    everything = ordered(
        event
        for source in (*_SOURCES, *sources_of_rooms())
        for event in source(session, seer, subject, tools)
        if event.at <= tools.now
    )
    told = {event.room for event in everything}
    found = narrowed(everything, wanted)
    page, following = after(found, _key(cursor) if cursor else None, limit)
    return History(
        subject=subject,
        name=store.name_of(row),
        events=page,
        total=len(found),
        next_cursor=encode_cursor(_ORDER, [-following[0], following[1]]) if following else None,
        rooms=[(key, word) for key, word in ROOMS.items() if key in told],
    )


def _key(cursor: str) -> Key:
    at, text = decode_cursor(cursor, _ORDER, 2)
    try:
        return -int(at or ""), text or ""
    except ValueError as exc:
        raise Invalid("the cursor is damaged: start again without it", code="bad_cursor") from exc
