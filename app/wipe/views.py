"""Wipes as people see them: the board, and one with all that is known, what stands in its way and what comes next."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.commands import Command
from app.commands import get as get_command
from app.fleet import actor_names
from app.guides import Family, Step, family_of
from app.kernel.paging import Page, SortKey, paginate
from app.kernel.tenancy import SYSTEM, Principal
from app.people import names_of
from app.registry import Custody, ServiceCentre, history_of
from app.transfer import TransferState, transfer_state
from app.wipe import store
from app.wipe.chain_rules import COLOURS, Link, chain, reached, since
from app.wipe.identity import Reading, reading_of
from app.wipe.model import Wipe, WipeStep
from app.wipe.rails import Look, blockers
from app.wipe.rights import acts_of
from app.wipe.rules import Blocker, over
from app.wipe.states import ENDED, OPEN, WORDS, State
from app.wipe.ticking import groups
from app.wipe.tools import Tools, policy_of, span_of, wipe_path

_S = State
RUNNING = (*OPEN, _S.FAILED, _S.UNVERIFIED)
"""What nobody may forget: a phone that was not erased, too."""
OVER = tuple(state for state in ENDED if state not in RUNNING)
_LOOKS = {
    _S.DRAFT: Look.REQUEST, _S.REQUESTED: Look.APPROVE, _S.APPROVED: Look.APPROVE, _S.ARMED: Look.RELEASE,
}  # fmt: skip
_SHOWN = 60


@dataclass(frozen=True)
class Line:
    """A row of the board. `who`: those in whose hands it lies, or who did the last; `reached`: links of nine."""

    wipe: Wipe
    centre: str
    since: dt.datetime
    reached: int
    until: dt.datetime | None
    who: tuple[str, ...]


def board(
    session: Session,
    principal: Principal,
    *,
    states: Sequence[str],
    centre_id: uuid.UUID | None,
    words: str,
    by_tag: bool,
    cursor: str | None,
) -> Page[Line]:
    """What moved last stands first; with `by_tag` by asset tag. Raise `Invalid` for a cursor of another list."""
    query = store.query(principal, states=states, centre_id=centre_id, words=words)
    keys = [SortKey("asset_tag", Wipe.asset_tag)] if by_tag else []
    if not by_tag:
        keys.append(SortKey("updated_at", Wipe.updated_at, descending=True))
    keys.append(SortKey("id", Wipe.id, descending=True))
    page = paginate(session, query, keys, cursor=cursor, limit=_SHOWN)
    centres = _centres(session, {wipe.centre_id for wipe in page.items})
    people = names_of(session, {user for wipe in page.items for user in _hands(wipe)})
    lines = [
        Line(
            wipe, centres[wipe.centre_id], since(wipe), reached(wipe), deadline(wipe),
            tuple(people[user] for user in _hands(wipe)),
        )
        for wipe in page.items
    ]  # fmt: skip
    return Page(lines, page.next_cursor)


def _centres(session: Session, ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    return {centre_id: session.get_one(ServiceCentre, centre_id).name for centre_id in ids}


def _hands(wipe: Wipe) -> tuple[str, ...]:
    users = (wipe.released_by or wipe.requested_by or wipe.created_by, wipe.approved_by)
    return tuple(dict.fromkeys(user for user in users if user))


def deadline(wipe: Wipe) -> dt.datetime | None:
    """When it goes on, or lapses, by itself; None: not by time alone."""
    if wipe.state == State.APPROVED:
        return wipe.arms_at
    return wipe.lapses_at if wipe.state in (State.DRAFT, State.REQUESTED, State.ARMED) else None


@dataclass(frozen=True)
class Detail:
    """One wipe. `in_the_way`: as of the next step; `seen`: the last reading of the phone, `at_hand` whether it is so
    fresh that a gateway can be told to act; `order`: the command of the last release, while it is not done; `held`: who
    had the phone last; `hides`: the caller is to read the IMEI off the phone, and not off this page; `to_tick`: the
    steps of a reset by hand under their headings.
    """

    wipe: Wipe
    centre: str
    chain: list[Link]
    steps: Sequence[WipeStep]
    names: dict[str, str]
    in_the_way: list[Blocker]
    deadline: dt.datetime | None
    family: Family
    seen: Reading | None
    at_hand: bool
    order: Command | None
    moved: TransferState
    acts: frozenset[str]
    photo_needed: bool
    held: Custody | None
    hides: bool
    to_tick: Sequence[tuple[str, tuple[Step, ...]]]

    @property
    def mark(self) -> str:
        """Another one when the forms of the page have to be others."""
        near = "near" if self.at_hand and "guide" in self.acts else "far"
        ways = (f"{one.code}:{one.waivable}" for one in self.in_the_way)
        return "-".join((self.wipe.state, str(self.wipe.version), str(len(self.steps)), near, *ways))


def detail(
    session: Session, principal: Principal, tools: Tools, wipe_id: uuid.UUID, now: dt.datetime
) -> Detail:
    """Raise `NotFound`, also for a foreign centre's."""
    wipe = store.find(session, principal, wipe_id)
    steps, look = store.steps_of(session, wipe.id), _LOOKS.get(State(wipe.state))
    seen = reading_of(session, wipe.handset_id)
    span = span_of(policy_of(session, tools, wipe.centre_id).body, "reading_minutes")
    at_hand = seen is not None and not over(seen.at, now, span)
    acts, custody = acts_of(principal, wipe), history_of(session, principal, wipe.handset_id)
    waits = wipe.state == State.QUEUED and wipe.command_id is not None
    return Detail(
        wipe=wipe,
        centre=session.get_one(ServiceCentre, wipe.centre_id).name,
        chain=chain(wipe),
        steps=steps,
        names=actor_names(session, _people(wipe, steps)),
        in_the_way=blockers(session, tools, wipe, look, now, by=principal.user) if look else [],
        deadline=deadline(wipe),
        family=family_of(wipe.brand),
        seen=seen,
        at_hand=at_hand,
        order=get_command(session, SYSTEM, wipe.command_id) if waits and wipe.command_id else None,
        moved=transfer_state(session, wipe.handset_id),
        acts=acts,
        photo_needed=not at_hand,
        held=custody[-1] if custody else None,
        to_tick=groups(wipe),
        hides=not acts.isdisjoint({"request", "release", "guide"}),
    )


def _people(wipe: Wipe, steps: Sequence[WipeStep]) -> set[str]:
    told = {wipe.created_by, wipe.requested_by, wipe.approved_by, wipe.second_by, wipe.released_by}
    told |= {wipe.verified_by, wipe.ended_by, *(step.by for step in steps)}
    told |= {one.get("by") for one in wipe.waivers}
    return {user for user in told if user}


@dataclass(frozen=True)
class Standing:
    """How the newest wipe of a phone stands, for the phone's own page."""

    path: str
    colour: str
    words: str
    since: dt.datetime


def standing_of(session: Session, handset_id: uuid.UUID) -> Standing | None:
    """Internal: of a phone that the caller may see."""
    wipe = store.newest_of(session, handset_id)
    if wipe is None:
        return None
    return Standing(wipe_path(wipe.id), COLOURS[wipe.state], WORDS[wipe.state], since(wipe))
