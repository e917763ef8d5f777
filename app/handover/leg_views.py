"""One leg as its pages show it: head and steps, cards of things, sides that sign. Plain rows with words."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.handover import reading, store
from app.handover.items import is_side
from app.handover.model import Handover, HandoverItem, HandoverLeg, HandoverPhoto, HandoverSignature
from app.handover.papering import HOW
from app.handover.proposing import states_of, to_state
from app.handover.rules import (
    CATEGORIES,
    CHANGE_WORDS,
    KIND_WORDS,
    LIABLE,
    SIDE_WORDS,
    Change,
    ChangeKind,
    Hindrance,
    labels_of,
    state_words,
)
from app.handover.states import FROZEN_LEGS, LEG_WORDS, Leg
from app.kernel.tenancy import Principal
from app.people import names_of
from app.registry import Post

STEPS = {
    "items": "物品", "tests": "检测", "passwords": "密码", "counts": "数量和事项", "review": "核对全文",
    "sign": "签字", "done": "完成",
}  # fmt: skip
LEG_BADGES = {
    Leg.WAITING: "quiet", Leg.DRAFT: "busy", Leg.SIGNING: "busy", Leg.HALF_SIGNED: "busy", Leg.COMPLETED: "good",
    Leg.CANCELLED: "quiet",
}  # fmt: skip
CHANGE_BADGES = {
    ChangeKind.MISSING: "bad", ChangeKind.WORSE: "bad", ChangeKind.CHANGED: "bad", ChangeKind.UNKNOWN: "unknown",
    ChangeKind.BETTER: "good", ChangeKind.WORN: "quiet", ChangeKind.NEW: "quiet", ChangeKind.SAME: "quiet",
}  # fmt: skip
HOW_WORDS = {
    "own_session": "本人登录后输入密码签字",
    "at_this_device": "在经办人的设备上输入本人账号和密码签字",
}
_LOCKED = {
    Leg.WAITING: "上一步完成以后才能开始。",
    Leg.SIGNING: "已经定稿，等双方签字；要改请先退回修改。",
    Leg.HALF_SIGNED: "一方已经签字，等另一方；要改请先退回修改，签过的要重签。",
    Leg.COMPLETED: "双方已经签字，内容不能再改；有错请办更正。",
    Leg.CANCELLED: "已取消，记录保留。",
}


@dataclass(frozen=True)
class Step:
    """`left`: how many things of it stand in the way of signing; `done`: none do, and nothing of it is unknown."""

    name: str
    label: str
    path: str
    left: int
    done: bool


@dataclass(frozen=True)
class Head:
    """What every page of a leg shows. `acts`: what the one who looks may do now. `locked`: why nothing can be changed,
    "" while it can.
    """

    case: Handover
    leg: HandoverLeg
    step: str
    steps: tuple[Step, ...]
    acts: frozenset[str]
    section: str
    home: str
    home_word: str
    title: str
    leg_word: str
    giver: str
    receiver: str
    badge: str
    state_word: str
    path: str
    locked: str
    signing: bool
    completed: bool


def leg_path(leg: HandoverLeg) -> str:
    return f"/handovers/legs/{leg.id}"


def step_path(case: Handover, leg: HandoverLeg, step: str) -> str:
    """The page of a step; who is to receive is said on the case's own page."""
    return f"{leg_path(leg)}/{step}" if step in STEPS else f"/handovers/{case.id}#receiver"


def leg_word(case: Handover, leg: HandoverLeg) -> str:
    """`第 1 步`, or nothing where there is but one; a correction says so."""
    word = f"第 {leg.number} 步" if case.kind == "handover" else ""
    return f"{word}更正 {leg.correction}".strip() if leg.correction else word


def names_of_sides(session: Session, legs: Iterable[HandoverLeg]) -> dict[uuid.UUID, tuple[str, str]]:
    """(giver, receiver) of each leg by its id; `待定` where nobody is named."""
    rows = list(legs)
    employees = store.employees(session, {e for leg in rows for e in (leg.giver_id, leg.receiver_id)})
    users = names_of(session, {u for leg in rows for u in (leg.giver_user, leg.receiver_user) if u})

    def name(employee_id: uuid.UUID | None, user: str | None) -> str:
        if employee_id is not None:
            return employees[employee_id].name
        return users.get(user, "") if user else "待定"

    return {
        leg.id: (name(leg.giver_id, leg.giver_user), name(leg.receiver_id, leg.receiver_user)) for leg in rows
    }


def head_of(
    session: Session,
    who: Principal,
    case: Handover,
    leg: HandoverLeg,
    step: str,
    hindrances: Sequence[Hindrance],
    unknowns: Sequence[Hindrance],
) -> Head:
    staff = who.may(case.centre_id, *store.VIEWERS)
    giver, receiver = names_of_sides(session, [leg])[leg.id]
    state = Leg(leg.state)
    return Head(
        case=case, leg=leg, step=step, steps=_steps(leg, hindrances, unknowns),
        acts=reading.acts(session, who, case, leg),
        section="handovers" if staff else "my_handovers", home="/handovers" if staff else "/my/handovers",
        home_word="交接" if staff else "我的交接", title=title_of(session, case), leg_word=leg_word(case, leg),
        giver=giver, receiver=receiver, badge=LEG_BADGES[state], state_word=LEG_WORDS[state], path=leg_path(leg),
        locked=_LOCKED.get(state, ""), signing=state in FROZEN_LEGS, completed=state is Leg.COMPLETED,
    )  # fmt: skip


def title_of(session: Session, case: Handover) -> str:
    return f"{KIND_WORDS[case.kind]} {session.get_one(Post, case.post_id).name}"


def _steps(
    leg: HandoverLeg, hindrances: Sequence[Hindrance], unknowns: Sequence[Hindrance]
) -> tuple[Step, ...]:
    counted = Counter(one.step for one in hindrances)
    open_ones = {one.step for one in (*hindrances, *unknowns)}
    frozen = leg.state in (*FROZEN_LEGS, Leg.COMPLETED)
    steps = []
    for name, label in STEPS.items():
        if name in ("sign", "done"):
            done = leg.state == Leg.COMPLETED
        elif name == "review":
            done = frozen
        else:
            done = frozen or (leg.state == Leg.DRAFT and name not in open_ones)
        steps.append(Step(name, label, f"{leg_path(leg)}/{name}", counted[name], done))
    return tuple(steps)


@dataclass(frozen=True)
class LastTime:
    """What the record before says of a thing, and who took it over then."""

    at: dt.datetime
    who: str
    words: str


@dataclass(frozen=True)
class ItemCard:
    """`now`: what the row says, for who may not change it."""

    row: HandoverItem
    now: str
    category: str
    photos: Sequence[HandoverPhoto]
    saved_by: str
    last: LastTime | None


def item_cards(
    session: Session, leg: HandoverLeg, rows: Sequence[HandoverItem], body: Mapping[str, Any]
) -> list[ItemCard]:
    photos = reading.photos_of(session, [row.id for row in rows])
    names = names_of(session, {row.saved_by for row in rows if row.saved_by})
    labels = labels_of(body)
    last = _last_times(session, leg, labels)
    return [
        ItemCard(
            row, state_words(to_state(row), labels), CATEGORIES.get(row.category, row.category),
            photos.get(row.id, []), names.get(row.saved_by or "", ""), last.get(row.key),
        )
        for row in rows
    ]  # fmt: skip


def _last_times(session: Session, leg: HandoverLeg, labels: Mapping[str, str]) -> dict[str, LastTime]:
    before = None if leg.previous_id is None else session.get(HandoverLeg, leg.previous_id)
    if before is None or before.completed_at is None:
        return {}
    at, (_, taker) = before.completed_at, names_of_sides(session, [before])[before.id]
    return {
        state.key: LastTime(at, taker, state_words(state, labels)) for state in states_of(session, before.id)
    }


@dataclass(frozen=True)
class ChangeLine:
    name: str
    badge: str
    word: str
    before: str
    after: str
    custody: str
    since: dt.datetime | None
    until: dt.datetime | None
    liable: bool
    handset_id: str | None


def change_lines(
    changes: Sequence[Change], labels: Mapping[str, str], rows: Iterable[HandoverItem]
) -> list[ChangeLine]:
    """What did change or cannot be told. A thing that is no phone is dealt with under the phone of its kit."""
    phone = next((str(row.handset_id) for row in rows if row.handset_id), None)
    lines = []
    for change in changes:
        if change.kind is ChangeKind.SAME:
            continue
        custody = change.in_custody_of
        own = change.key.removeprefix("handset:") if change.key.startswith("handset:") else phone
        lines.append(
            ChangeLine(
                change.name, CHANGE_BADGES[change.kind], CHANGE_WORDS[change.kind],
                state_words(change.before, labels), state_words(change.after, labels),
                custody.name if custody else "", custody.since if custody else None,
                custody.until if custody else None, change.kind in LIABLE, own,
            )
        )  # fmt: skip
    return lines


@dataclass(frozen=True)
class SideCard:
    """One side of the text up for signing. `choices`: the ways in which the one who looks can have it signed, `chosen`
    the one that he took.
    """

    name_of: str
    word: str
    name: str
    signed: HandoverSignature | None
    how: str
    choices: Sequence[tuple[str, str]]
    chosen: str
    may_decline: bool


def side_cards(
    who: Principal, head: Head, signed: Sequence[HandoverSignature], wanted_side: str, wanted_how: str
) -> list[SideCard]:
    """Without a wish, the form of his own side is open at once."""
    done = {row.side: row for row in signed}
    cards = []
    for side, name in (("giver", head.giver), ("receiver", head.receiver)):
        choices = [] if side in done else _choices(who, head, side, name)
        ways = {how for how, _ in choices}
        if wanted_side:
            chosen = wanted_how if wanted_side == side and wanted_how in ways else ""
        else:
            chosen = "own" if "own" in ways else ""
        row = done.get(side)
        cards.append(
            SideCard(
                side, SIDE_WORDS[side], name, row, HOW.get(row.how, "") if row else "", choices, chosen,
                f"decline_{side}" in head.acts,
            )
        )  # fmt: skip
    return cards


def _choices(who: Principal, head: Head, side: str, name: str) -> list[tuple[str, str]]:
    other = "receiver" if side == "giver" else "giver"
    found = []
    if f"sign_{side}" in head.acts:
        found.append(
            ("own", "我来签字") if is_side(who, head.leg, side) else ("here", f"{name}在这台设备上签")
        )
    if f"witness_{side}" in head.acts:
        way = "witness_here" if is_side(who, head.leg, other) else "witness"
        found.append((way, f"{name}不在或不肯签，由见证人签"))
    return found
