"""Cases as their pages show them: where each stands, and who must do what next."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.handover import reading, store
from app.handover.leg_views import LEG_BADGES, leg_path, leg_word, names_of_sides, title_of
from app.handover.model import Handover, HandoverLeg
from app.handover.proposing import PartLine
from app.handover.rules import KIND_WORDS, REASONS, SIDE_WORDS
from app.handover.states import ACTIVE_LEGS, CASE_WORDS, FROZEN_LEGS, LEG_WORDS, Case, Leg
from app.kernel.tenancy import Principal
from app.people import names_of
from app.registry import Post, live_centres

CASE_BADGES = {Case.OPEN: "busy", Case.COMPLETED: "good", Case.CANCELLED: "quiet"}


@dataclass(frozen=True)
class CaseLine:
    row: Handover
    post: str
    centre: str
    kind: str
    reason: str
    giver: str
    receiver: str
    lead: str
    badge: str
    state_word: str
    where: str
    overdue: bool


def case_lines(
    session: Session, principal: Principal, rows: Sequence[Handover], now: dt.datetime
) -> list[CaseLine]:
    people = store.employees(session, {e for row in rows for e in (row.giver_id, row.receiver_id)})
    leads, centres = (
        names_of(session, {row.lead_user for row in rows}),
        dict(live_centres(session, principal)),
    )
    legs = store.legs_of_each(session, [row.id for row in rows])
    posts = store.posts_of(session, {row.post_id for row in rows})
    return [
        CaseLine(
            row=row, post=posts[row.post_id].name, centre=centres.get(row.centre_id, ""), kind=KIND_WORDS[row.kind],
            reason=REASONS[row.reason], giver=people[row.giver_id].name if row.giver_id else "",
            receiver=people[row.receiver_id].name if row.receiver_id else "", lead=leads.get(row.lead_user, ""),
            badge=CASE_BADGES[Case(row.state)], state_word=CASE_WORDS[row.state],
            where=_where(row, legs.get(row.id, ())), overdue=row.state == Case.OPEN and row.due_at < now,
        )
        for row in rows
    ]  # fmt: skip


def _where(case: Handover, legs: Sequence[HandoverLeg]) -> str:
    """What is under way: also the correction of a case that is over."""
    leg = next((leg for leg in legs if leg.state in ACTIVE_LEGS), None)
    if leg is None:
        return ""
    return f"{leg_word(case, leg)} {LEG_WORDS[leg.state]}".strip()


@dataclass(frozen=True)
class Refusal:
    at: dt.datetime
    words: str


@dataclass(frozen=True)
class LegLine:
    """`path` is "" for who may not open it. `reason`: of a correction."""

    word: str
    giver: str
    receiver: str
    badge: str
    state_word: str
    path: str
    active: bool
    completed: bool
    completed_at: dt.datetime | None
    paper_id: uuid.UUID | None
    reason: str
    refusals: Sequence[Refusal]


@dataclass(frozen=True)
class Next:
    """Who must do what; `path` is "" when it is not for the one who looks."""

    words: str
    path: str
    button: str


@dataclass(frozen=True)
class CaseView:
    row: Handover
    title: str
    section: str
    home: str
    home_word: str
    badge: str
    state_word: str
    next: Next | None
    legs: Sequence[LegLine]
    post: str
    reason: str
    giver: str
    receiver: str
    lead: str
    started_by: str
    overdue: bool
    open: bool
    kit: Sequence[tuple[str, str]]
    acts: frozenset[str]


def case_view(
    session: Session, who: Principal, case: Handover, parts: Sequence[PartLine], now: dt.datetime
) -> CaseView:
    staff = who.may(case.centre_id, *store.VIEWERS)
    legs = store.legs_of(session, case.id)
    sides = names_of_sides(session, legs)
    people = store.employees(session, {case.giver_id, case.receiver_id})
    names = names_of(session, {case.lead_user, case.started_by})
    acts = reading.acts(session, who, case, None)
    post = session.get_one(Post, case.post_id)
    return CaseView(
        row=case, title=title_of(session, case), section="handovers" if staff else "my_handovers",
        home="/handovers" if staff else "/my/handovers", home_word="交接" if staff else "我的交接",
        badge=CASE_BADGES[Case(case.state)], state_word=CASE_WORDS[case.state],
        next=_next(session, who, case, legs, sides), legs=[_leg_line(session, who, case, leg, sides) for leg in legs],
        post=f"{post.name}（{post.code}）", reason=REASONS[case.reason],
        giver=people[case.giver_id].name if case.giver_id else "",
        receiver=people[case.receiver_id].name if case.receiver_id else "", lead=names.get(case.lead_user, ""),
        started_by=names.get(case.started_by, ""), overdue=case.state == Case.OPEN and case.due_at < now,
        open=case.state == Case.OPEN, kit=kit_lines(parts, links=staff), acts=acts,
    )  # fmt: skip


def kit_lines(parts: Sequence[PartLine], *, links: bool = True) -> list[tuple[str, str]]:
    """(words, path) of each part of a kit; only a phone has a page of its own."""
    return [
        (
            f"{part.name} {part.identifier}".strip(),
            f"/phones/{part.id}" if links and part.kind == "handset" else "",
        )
        for part in parts
    ]


def may_open(who: Principal, case: Handover, leg: HandoverLeg) -> bool:
    own = who.employee is not None and who.employee in (leg.giver_id, leg.receiver_id)
    return own or who.may(case.centre_id, *store.VIEWERS)


def _leg_line(
    session: Session,
    who: Principal,
    case: Handover,
    leg: HandoverLeg,
    sides: dict[uuid.UUID, tuple[str, str]],
) -> LegLine:
    opens = may_open(who, case, leg) and leg.state != Leg.WAITING
    giver, receiver = sides[leg.id]
    word = leg_word(case, leg) or KIND_WORDS[case.kind]
    return LegLine(
        word=word, giver=giver, receiver=receiver, badge=LEG_BADGES[Leg(leg.state)], state_word=LEG_WORDS[leg.state],
        path=leg_path(leg) if opens else "", active=leg.state in ACTIVE_LEGS, completed=leg.state == Leg.COMPLETED,
        completed_at=leg.completed_at, paper_id=leg.paper_id if opens else None, reason=leg.correction_reason or "",
        refusals=[
            Refusal(row.outcome_at, _refusal_words(row))
            for row in store.rounds_of(session, leg.id)
            if opens and row.outcome in ("declined", "reopened") and row.outcome_at is not None
        ],
    )  # fmt: skip


def _refusal_words(row: Any) -> str:
    what = f"{SIDE_WORDS[row.outcome_side]}没有签" if row.outcome == "declined" else "退回修改"
    return f"第 {row.number} 稿 {what}：{row.outcome_words}"


def _next(
    session: Session,
    who: Principal,
    case: Handover,
    legs: Sequence[HandoverLeg],
    sides: dict[uuid.UUID, tuple[str, str]],
) -> Next | None:
    leg = next((leg for leg in legs if leg.state in ACTIVE_LEGS), None)
    if leg is None:
        return None
    giver, receiver = sides[leg.id]
    opens, acts = may_open(who, case, leg), reading.acts(session, who, case, leg)
    word, path = leg_word(case, leg), leg_path(leg) if opens else ""
    if leg.state in FROZEN_LEGS:
        row = store.open_round(session, leg)
        done = {signature.side for signature in store.signatures_of(session, row.id)}
        left = [name for side, name in (("giver", giver), ("receiver", receiver)) if side not in done]
        words = f"{word} 已定稿，等{'、'.join(left)}签字。"
        return Next(words.strip(), f"{path}/sign" if path else "", "去签字" if acts else "看全文")
    if case.kind != "return" and case.receiver_id is None and leg.number == 2:
        return Next("手机在负责人手里，先定由谁接手。", "", "")
    lead = names_of(session, {case.lead_user}).get(case.lead_user, "")
    words = f"{word} {giver} 和 {receiver} 当面清点，由{lead}逐项填写；填完定稿，双方签字。"
    return Next(words.strip(), path, "继续清点" if "edit" in acts else "看清点情况")


@dataclass(frozen=True)
class OwnLine:
    title: str
    badge: str
    state_word: str
    what: str
    due_at: dt.datetime
    path: str
    button: str
    exceptions: str
    giver: str
    receiver: str
    at: dt.datetime | None
    paper_id: uuid.UUID | None


def own_lines(session: Session, who: Principal, legs: Sequence[HandoverLeg]) -> list[OwnLine]:
    """A butler's own legs, each with what it wants of him."""
    sides = names_of_sides(session, legs)
    lines = []
    for leg in legs:
        case = session.get_one(Handover, leg.handover_id)
        acts = reading.acts(session, who, case, leg)
        side = "giver" if who.employee == leg.giver_id else "receiver"
        signs, path = f"sign_{side}" in acts, leg_path(leg)
        if signs:
            what = "已经定稿，请读一遍，签字；不同意可以不签并写明理由。"
        elif leg.state in FROZEN_LEGS:
            what = "您已签字，等另一方。"
        else:
            what = "正在清点，请当面看着。有不同意见写成异议，会写进单子。"
        step = "sign" if leg.state in FROZEN_LEGS else "items"
        giver, receiver = sides[leg.id]
        lines.append(
            OwnLine(
                title=f"{title_of(session, case)} {leg_word(case, leg)}".strip(), badge=LEG_BADGES[Leg(leg.state)],
                state_word=LEG_WORDS[leg.state], what=what, due_at=case.due_at,
                path=f"{path}/done" if leg.completed_at else f"{path}/{step}",
                button="去签字" if signs else "看清点情况",
                exceptions="" if step == "sign" else f"{path}/counts#exceptions",
                giver=giver, receiver=receiver, at=leg.completed_at, paper_id=leg.paper_id,
            )
        )  # fmt: skip
    return lines
