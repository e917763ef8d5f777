"""Rounds as people see them: by post, with what the reader may do."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.credchecks import case_store, kit_store, store
from app.credchecks.acts import is_own, own_kit
from app.credchecks.listing import list_rounds
from app.credchecks.model import ChangeCase, CheckItem, CheckRound, ItemChange
from app.credchecks.opening import states_of
from app.credchecks.rules import SECRET, Tally, tally
from app.credchecks.states import ITEM_NEXT, Item, ItemEvent, Round
from app.credchecks.telling import last_day
from app.credchecks.tools import CHECKERS, SUBJECT
from app.credchecks.words import BADGES, item_word
from app.escrow import SecretState, lock_orders_of, lock_words
from app.kernel.errors import NotFound
from app.kernel.paging import DEFAULT_LIMIT, Page
from app.kernel.tenancy import Principal
from app.people import names_of
from app.policy import PolicyFiles, effective
from app.registry import ServiceCentre

_OWN_ROUNDS = 6


@dataclass(frozen=True)
class RoundLine:
    """`late`: its last day is over and it is open."""

    row: CheckRound
    centre: str
    tally: Tally
    late: bool
    last_day: str


@dataclass(frozen=True)
class ItemLine:
    """`acts`: what the caller may do. `secret`: what the escrow says now, None for a profile. `phone`: what the
    gateway's try on the phone came to, "" when none was asked for in this round.
    """

    item: CheckItem
    word: str
    badge: str
    by: str
    secret: SecretState | None
    phone: str
    case: ChangeCase | None
    changes: Sequence[tuple[ItemChange, str]]
    acts: tuple[str, ...]


@dataclass(frozen=True)
class PostCard:
    """One post's kit in a round; `holder` as the round began, `now_holder` only where it is another by now."""

    post_id: uuid.UUID
    name: str
    holder: str
    now_holder: str
    parts: str
    tally: Tally
    own: bool
    moved: tuple[str, ...]


@dataclass(frozen=True)
class RoundView:
    line: RoundLine
    cards: Sequence[PostCard]
    kinds: Sequence[tuple[str, Tally]]
    cases: Sequence[ChangeCase]
    closer: str
    may_check: bool


def round_lines(
    session: Session,
    principal: Principal,
    *,
    state: str | None = None,
    centre_id: uuid.UUID | None = None,
    month: str = "",
    sort: str = "",
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
    now: dt.datetime,
) -> Page[RoundLine]:
    """Open ones the oldest month first, others the latest first, unless `sort` (`month`, `-due_at`) says otherwise."""
    page = list_rounds(
        session,
        principal,
        state=state,
        centre_id=centre_id,
        month=month,
        sort=sort,
        cursor=cursor,
        limit=limit,
    )
    tallies = store.tallies(session, [row.id for row in page.items])
    names = store.centre_names(session, {row.centre_id for row in page.items})
    lines = [_line(row, names[row.centre_id], tallies[row.id], now) for row in page.items]
    return Page(lines, page.next_cursor)


def round_line(session: Session, principal: Principal, round_id: uuid.UUID, now: dt.datetime) -> RoundLine:
    row = store.find_round(session, principal, round_id)
    centre = session.get_one(ServiceCentre, row.centre_id).name
    return _line(row, centre, store.tallies(session, [row.id])[row.id], now)


def _line(row: CheckRound, centre: str, counted: Tally, now: dt.datetime) -> RoundLine:
    return RoundLine(
        row, centre, counted, row.state == Round.OPEN and now >= row.due_at, last_day(row.due_at)
    )


def round_view(session: Session, principal: Principal, round_id: uuid.UUID, now: dt.datetime) -> RoundView:
    line = round_line(session, principal, round_id, now)
    items = store.items(session, round_id)
    kinds: dict[str, list[str]] = {}
    for item in items:
        kinds.setdefault(item.label, []).append(item.state)
    closer = line.row.closed_by
    return RoundView(
        line=line,
        cards=_cards(session, principal, items, line.row, now),
        kinds=[(label, tally(states)) for label, states in kinds.items()],
        cases=case_store.of_round(session, round_id),
        closer=names_of(session, [closer])[closer] if closer else "",
        may_check=line.row.state == Round.OPEN and principal.may(line.row.centre_id, *CHECKERS),
    )


def _cards(
    session: Session, principal: Principal, items: Sequence[CheckItem], row: CheckRound, now: dt.datetime
) -> list[PostCard]:
    at = now if row.closed_at is None else row.closed_at
    ids = list(dict.fromkeys(item.post_id for item in items))
    posts = kit_store.posts(session, ids)
    people = kit_store.employees(session, {item.holder_id for item in items if item.holder_id})
    holders = kit_store.holders_of_posts(session, ids, at)
    holders_now = holders if at == now else kit_store.holders_of_posts(session, ids, now)
    moved = _moved(session, items, at)
    cards = []
    for post_id in ids:
        own = [item for item in items if item.post_id == post_id]
        then, held = people.get(own[0].holder_id) if own[0].holder_id else None, holders.get(post_id)
        changed = (held.id if held else None) != own[0].holder_id
        cards.append(
            PostCard(
                post_id=post_id,
                name=posts[post_id].name,
                holder=then.name if then else "无人在岗",
                now_holder=(held.name if held else "无人在岗") if changed else "",
                parts="、".join(dict.fromkeys(item.subject_name for item in own)),
                tally=tally([item.state for item in own]),
                own=is_own(principal, own[0], holders_now),
                moved=tuple(dict.fromkeys(i.subject_name for i in own if i.subject_id in moved)),
            )
        )
    return cards


def _moved(session: Session, items: Sequence[CheckItem], at: dt.datetime) -> set[uuid.UUID]:
    """The parts that belong to another post by now, or to none."""
    found = set()
    for of in kit_store.PARTS:
        ids = {item.subject_id: item for item in items if item.of == of}
        now_at = kit_store.posts_now(session, of, list(ids), at)
        found |= {part for part, item in ids.items() if now_at.get(part) != item.post_id}
    return found


def post_items(
    session: Session,
    principal: Principal,
    round_id: uuid.UUID,
    post_id: uuid.UUID,
    *,
    policies: PolicyFiles,
    now: dt.datetime,
) -> tuple[RoundLine, PostCard, list[ItemLine], uuid.UUID | None]:
    """One post of a round, and the next one that still has something open. Raise `NotFound`."""
    line = round_line(session, principal, round_id, now)
    items = store.items(session, round_id)
    own = [item for item in items if item.post_id == post_id]
    if not own:
        raise NotFound("这次核对没有这个岗位 / no such post in this round")
    card = _cards(session, principal, own, line.row, now)[0]
    by_two = effective(session, policies, SUBJECT, line.row.centre_id).body["waiver_by_two"]
    lines = item_lines(session, principal, line.row, own, policies=policies, by_two=by_two, now=now)
    return line, card, lines, _next_post(items, post_id)


def _next_post(items: Sequence[CheckItem], post_id: uuid.UUID) -> uuid.UUID | None:
    order = list(dict.fromkeys(item.post_id for item in items))
    place = order.index(post_id)
    waiting = {item.post_id for item in items if item.state == Item.OPEN}
    return next((post for post in (*order[place + 1 :], *order[:place]) if post in waiting), None)


def item_lines(
    session: Session,
    principal: Principal,
    row: CheckRound,
    items: Sequence[CheckItem],
    *,
    policies: PolicyFiles,
    by_two: bool,
    now: dt.datetime,
) -> list[ItemLine]:
    secrets = [item for item in items if item.area == SECRET]
    known = states_of(session, policies, secrets, now) if row.state == Round.OPEN else {}
    history: dict[uuid.UUID, list[ItemChange]] = {item.id: [] for item in items}
    for change in store.changes(session, list(history)):
        history[change.item_id].append(change)
    actors = {c.by for changes in history.values() for c in changes} | {i.by for i in items if i.by}
    names = names_of(session, actors)
    cases = {case.item_id: case for case in case_store.of_round(session, row.id)}
    lines = []
    for item in items:
        state = known.get((item.subject_id, item.kind)) if item.area == SECRET else None
        lines.append(
            ItemLine(
                item=item,
                word=item_word(item),
                badge=BADGES[item.state],
                by=names.get(item.by or "", ""),
                secret=state,
                phone=_phone(session, row, item, state),
                case=cases.get(item.id),
                changes=[(change, names[change.by]) for change in history[item.id]],
                acts=_acts(session, principal, row, item, state, by_two, now),
            )
        )
    return lines


def _phone(session: Session, row: CheckRound, item: CheckItem, state: SecretState | None) -> str:
    if item.state != Item.OPEN or state is None or state.id is None or not state.on_phone:
        return ""
    orders = [order for order in lock_orders_of(session, state.id) if order.asked_at >= row.opened_at]
    return lock_words(orders[0].state, orders[0].outcome, orders[0].reason) if orders else ""


def _acts(
    session: Session, principal: Principal, row: CheckRound, item: CheckItem, state: SecretState | None, by_two: bool,
    now: dt.datetime,
) -> tuple[str, ...]:  # fmt: skip
    if row.state != Round.OPEN or not principal.may(row.centre_id, *CHECKERS):
        return ()
    if own_kit(session, principal, item, now):
        return ()
    if item.state == Item.WAIVING:
        return () if item.asked_by == principal.user else ("grant", "refuse")
    acts: list[str] = []
    if item.area == SECRET and state is not None and state.filed:
        acts.append("check")
    if item.area != SECRET:
        acts.append("attest")
    for act, event in (
        ("unreachable", ItemEvent.UNREACHABLE),
        ("waive", ItemEvent.ASK_WAIVER if by_two else ItemEvent.WAIVE),
    ):
        if (item.state, event) in ITEM_NEXT:
            acts.append(act)
    judged = item.area == SECRET and item.state in (Item.MATCH, Item.MISMATCH)
    if (item.state, ItemEvent.REOPEN) in ITEM_NEXT and not judged:
        acts.append("reopen")
    return tuple(acts)


@dataclass(frozen=True)
class OwnRound:
    row: CheckRound
    lines: Sequence[ItemLine]
    closed_by: str


def own_rounds(
    session: Session, employee_id: uuid.UUID, *, policies: PolicyFiles, now: dt.datetime
) -> list[OwnRound]:
    """What was checked of somebody's kit, and by whom; the latest round first."""
    found = []
    rows = store.rounds_of(session, employee_id, _OWN_ROUNDS)
    names = names_of(session, {row.closed_by for row in rows if row.closed_by})
    for row in rows:
        items = store.items_of(session, employee_id, [row.id])
        lines = item_lines(session, _NOBODY, row, items, policies=policies, by_two=True, now=now)
        found.append(OwnRound(row, lines, names.get(row.closed_by or "", "")))
    return found


_NOBODY = Principal(user="", roles=frozenset(), centres=frozenset())
