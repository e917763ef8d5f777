"""A case begins, its persons are named, and it ends without a signature: cancelled, or as a mere return."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.escrow import kit_secrets
from app.handover import store
from app.handover.model import KINDS, Handover, HandoverLeg
from app.handover.noting import close_lead_task, note_case, open_lead_task, tell_parties
from app.handover.proposing import PartLine, begin_items, parts_of
from app.handover.rules import KIND_WORDS, REASONS
from app.handover.states import Case, CaseEvent, Leg, LegEvent
from app.handover.store import DESK
from app.kernel.errors import Conflict, FieldError, Invalid, NotFound
from app.kernel.ids import new_id, parse_id
from app.kernel.moving import change_if
from app.kernel.tenancy import SYSTEM, Principal
from app.kernel.texts import one_line
from app.people import principal_of
from app.policy import PolicyFiles, effective
from app.registry import Employee, Kit, Post, hold, holding_of, kit_of, release

MAX_WORDS = 500
_PART_LINKS = {"handset": "手机", "number": "号码", "wechat": "微信号"}


@dataclass(frozen=True)
class Wanted:
    """`kind`: issue, handover, return; `reason`: a key of `rules.REASONS`. `lead_user` None: the caller leads it."""

    post_id: uuid.UUID
    kind: str
    reason: str
    receiver_id: uuid.UUID | None = None
    due_at: dt.datetime | None = None
    place: str = ""
    note: str = ""
    lead_user: str | None = None


@dataclass(frozen=True)
class Missing:
    """What stands in the way of an issue, with the page where it is put right."""

    code: str
    words: str
    link: str


@dataclass(frozen=True)
class Proposal:
    """A post as it stands: who holds it and what of a kit it has."""

    post: Post
    holder: Employee | None
    kit: Kit
    parts: list[PartLine]
    open_case: Handover | None


def proposal(session: Session, principal: Principal, post_id: uuid.UUID, *, now: dt.datetime) -> Proposal:
    """Raise `NotFound`."""
    post = store.find_post(session, principal, post_id)
    holding = holding_of(session, post.id, now)
    kit = kit_of(session, post.id, now)
    holder = None if holding is None else session.get_one(Employee, holding.employee_id)
    return Proposal(post, holder, kit, parts_of(session, kit), store.open_case_of_post(session, post.id))


def what_is_missing(
    session: Session, principal: Principal, post_id: uuid.UUID, *, policies: PolicyFiles, now: dt.datetime
) -> list[Missing]:
    """Parts and filed passwords that policy wants before a kit is issued (R04, R07)."""
    post = store.find_post(session, principal, post_id)
    body = effective(session, policies, "handover", post.centre_id).body
    kit = kit_of(session, post.id, now)
    found = [
        Missing("missing_part", f"岗位还没有配置{_PART_LINKS[kind]}", "/registry/kit-assignments/new")
        for kind in body["issue_parts"]
        if kind not in {kind for kind, _ in kit.subjects}
    ]
    return found + missing_secrets(session, kit, body["issue_secrets"], policies, now)


def missing_secrets(
    session: Session, kit: Kit, kinds: list[str], policies: PolicyFiles, now: dt.datetime
) -> list[Missing]:
    """Of the kinds that policy wants, those of which none is in force."""
    states = kit_secrets(
        session, SYSTEM, policies, handset_ids=kit.handset_ids, number_ids=kit.number_ids,
        wechat_ids=kit.wechat_ids, now=now,
    )  # fmt: skip
    return [
        Missing(
            "missing_secret",
            f"{state.subject_name} 的{state.label}还没有备案",
            f"/escrow/secrets/{state.id}"
            if state.id
            else f"/escrow/file?of={state.of}&subject={state.subject_id}&kind={state.kind}",
        )
        for state in states
        if state.kind in kinds and not state.filed
    ]


def start(
    session: Session, principal: Principal, wanted: Wanted, *, policies: PolicyFiles, now: dt.datetime
) -> Handover:
    """Open a case: kit and post are held from now on, and its first list is made.

    Raise `Invalid` with the fields, `NotFound`, `Forbidden`, or `Conflict`: `not_ready` (an issue lacks something,
    named with links), `held` (another matter holds a part), `post_vacant`, `post_taken`, `no_kit`, `same_person`.
    """
    post = store.find_post(session, principal, wanted.post_id)
    principal.require_role(post.centre_id, *DESK)
    _check(wanted, post, now)
    body = effective(session, policies, "handover", post.centre_id).body
    kit, giver = _subjects(session, principal, wanted, policies, now)
    case = Handover(
        id=new_id(), centre_id=post.centre_id, kind=wanted.kind, state=Case.OPEN, post_id=post.id, reason=wanted.reason,
        note=one_line(wanted.note, MAX_WORDS), place=one_line(wanted.place, 200), giver_id=giver,
        receiver_id=wanted.receiver_id, lead_user=wanted.lead_user or principal.user,
        due_at=wanted.due_at or now + dt.timedelta(days=body["due_days"]), started_by=principal.user, started_at=now,
    )  # fmt: skip
    _check_persons(session, principal, case, now)
    # The locks first: the case's own row refers to the post, and two who begin at once would wait for each other.
    _hold(session, case, post, kit, principal.user, now)
    session.add(case)
    session.flush()
    legs = _legs(case)
    session.add_all(legs)
    session.flush()
    begin(session, case, legs[0], body, now)
    note_case(session, principal.user, case, "start", now, reason=REASONS[case.reason])
    open_lead_task(session, case, post, now)
    tell_parties(
        session, case, "start", f"{KIND_WORDS[case.kind]}已开始", "请按约定的时间和地点当面清点。", now
    )
    return case


def _check(wanted: Wanted, post: Post, now: dt.datetime) -> None:
    problems = []
    if wanted.kind not in KINDS:
        problems.append(FieldError("kind", "unknown", "请选择领取、移交或交还"))
    if wanted.reason not in REASONS:
        problems.append(FieldError("reason", "unknown", "请选择原因"))
    if wanted.kind == "issue" and wanted.receiver_id is None:
        problems.append(FieldError("receiver_id", "required", "领取必须写明领取人"))
    if wanted.kind == "return" and wanted.receiver_id is not None:
        problems.append(FieldError("receiver_id", "unexpected", "交还没有接收员工；有接任者请选移交"))
    if wanted.due_at is not None and wanted.due_at <= now:
        problems.append(FieldError("due_at", "past", "期限不能早于现在"))
    if problems:
        raise Invalid("交接不能这样开始 / cannot begin so", fields=problems)
    if post.retired_at is not None:
        raise Conflict("该岗位已停用 / this post is retired", code="retired")


def _subjects(
    session: Session, principal: Principal, wanted: Wanted, policies: PolicyFiles, now: dt.datetime
) -> tuple[Kit, uuid.UUID | None]:
    """The kit, and who gives it: nobody for an issue."""
    kit = kit_of(session, wanted.post_id, now)
    holding = holding_of(session, wanted.post_id, now)
    if wanted.kind == "issue":
        missing = what_is_missing(session, principal, wanted.post_id, policies=policies, now=now)
        if missing:
            problems = [FieldError("post_id", m.code, f"{m.words}（{m.link}）") for m in missing]
            raise Conflict("；".join(m.words for m in missing), code="not_ready", fields=problems)
        if holding is not None and holding.employee_id != wanted.receiver_id:
            raise Conflict(
                "岗位现在由别人任职，请办理移交 / somebody else holds this post", code="post_taken"
            )
        return kit, None
    if holding is None:
        raise Conflict("岗位现在没有人任职，请办理领取 / nobody holds this post", code="post_vacant")
    if not kit.subjects:
        raise Conflict("岗位没有配置手机、号码或微信号 / this post has no kit", code="no_kit")
    return kit, holding.employee_id


def _check_persons(session: Session, principal: Principal, case: Handover, now: dt.datetime) -> None:
    """Giver, receiver and lead are three persons, and the lead has a login and the right to lead here."""
    if case.receiver_id is not None:
        receiver = store.find_employee(session, principal, case.receiver_id)
        if receiver.retired_at is not None:
            raise Conflict("接收人已离职停用 / the receiver is retired", code="retired")
    if case.receiver_id is not None and case.receiver_id == case.giver_id:
        raise Conflict("移交人和接收人是同一个人 / giver and receiver are the same", code="same_person")
    lead_id = parse_id(case.lead_user)
    try:
        lead = None if lead_id is None else principal_of(session, lead_id, now)
    except NotFound:
        lead = None
    if lead is None or not lead.may(case.centre_id, *DESK):
        message = "主持人须是本服务中心的管家负责人或运营岗，用本人账号 / no lead of this centre"
        raise Invalid(message, fields=[FieldError("lead_user", "invalid", message)])
    if lead.employee is not None and lead.employee in (case.giver_id, case.receiver_id):
        raise Conflict("主持人不能同时是移交人或接收人 / the lead is one of the two", code="same_person")


def _hold(session: Session, case: Handover, post: Post, kit: Kit, by: str, now: dt.datetime) -> None:
    words = f"岗位 {post.code} 正在办理{KIND_WORDS[case.kind]}"
    subjects = [*kit.subjects, ("post", post.id)]
    hold(
        session, cause=case.cause, subjects=subjects, centre_id=case.centre_id, reason=words,
        link=f"/handovers/{case.id}", by=by, now=now,
    )  # fmt: skip
    holding = holding_of(session, post.id, now)
    changed = kit_of(session, post.id, now) != kit
    if changed or (case.giver_id is not None and (holding is None or holding.employee_id != case.giver_id)):
        # A tie was written between the look and the locks: the list would be of another kit.
        raise Conflict("岗位配置刚刚有变动，请重试 / the kit changed in this moment", code="kit_changed")


def _legs(case: Handover) -> list[HandoverLeg]:
    def leg(number: int, giver: uuid.UUID | None, receiver: uuid.UUID | None, *, staff: str) -> HandoverLeg:
        users = {"giver_user": case.lead_user} if staff == "giver" else {"receiver_user": case.lead_user}
        return HandoverLeg(
            centre_id=case.centre_id, handover_id=case.id, number=number, correction=0, state=Leg.WAITING,
            giver_id=giver, receiver_id=receiver, counts={}, scale=[], rounds=0, **users,
        )  # fmt: skip

    if case.kind == "issue":
        return [leg(1, None, case.receiver_id, staff="giver")]
    legs = [leg(1, case.giver_id, None, staff="receiver")]
    if case.kind == "handover":
        legs.append(leg(2, None, case.receiver_id, staff="giver"))
    return legs


def begin(
    session: Session, case: Handover, leg: HandoverLeg, policy: Mapping[str, Any], now: dt.datetime
) -> None:
    """A leg's turn: its list is made from what stands now. Internal."""
    store.move_leg(session, leg, LegEvent.BEGIN, begun_at=now)
    begin_items(session, case, leg, policy, now)


def name_receiver(
    session: Session,
    principal: Principal,
    handover_id: uuid.UUID,
    employee_id: uuid.UUID,
    *,
    now: dt.datetime,
) -> Handover:
    """Say, or say anew, who follows. Raise `Conflict` once the text of his leg is up for signing or signed."""
    case = _led(session, principal, handover_id)
    if case.kind == "return":
        raise Conflict("交还没有接收员工 / a return has no receiver", code="handover_state")
    leg = store.legs_of(session, case.id)[-1]
    _require(leg, Leg.WAITING, Leg.DRAFT)
    case.receiver_id = leg.receiver_id = employee_id
    _check_persons(session, principal, case, now)
    holding = holding_of(session, case.post_id, now)
    if case.kind == "issue" and holding is not None and holding.employee_id != employee_id:
        raise Conflict("岗位现在由别人任职 / somebody else holds this post", code="post_taken")
    session.flush()
    note_case(session, principal.user, case, "receiver", now, details={"receiver": str(employee_id)})
    tell_parties(
        session, case, f"receiver:{employee_id}", "请接收管家手机", "您是接收人，请当面清点后签字。", now
    )
    return case


def set_lead(
    session: Session, principal: Principal, handover_id: uuid.UUID, user: str, *, now: dt.datetime
) -> Handover:
    """Another one leads, and is the staff side of the legs that are still to be signed."""
    case = _led(session, principal, handover_id)
    open_legs = [leg for leg in store.legs_of(session, case.id) if leg.state != Leg.COMPLETED]
    for leg in open_legs:
        _require(leg, Leg.WAITING, Leg.DRAFT)
        if leg.giver_user is not None:
            leg.giver_user = user
        else:
            leg.receiver_user = user
    case.lead_user = user
    _check_persons(session, principal, case, now)
    session.flush()
    note_case(session, principal.user, case, "lead", now, details={"lead": user})
    return case


def reschedule(
    session: Session, principal: Principal, handover_id: uuid.UUID, due_at: dt.datetime, *, now: dt.datetime
) -> Handover:
    """Another due date; its warnings begin anew."""
    case = _led(session, principal, handover_id)
    if due_at <= now:
        raise Invalid("期限不能早于现在", fields=[FieldError("due_at", "past", "期限不能早于现在")])
    details = {"before": str(case.due_at), "after": str(due_at)}
    change_if(session, case, ("state", "due_at"), store.faster(), due_at=due_at, warned=0)
    note_case(session, principal.user, case, "reschedule", now, details=details)
    return case


def cancel(
    session: Session, principal: Principal, handover_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> Handover:
    """End a case of which nothing was handed over; all that was written stays. Raise `Conflict` after its first leg."""
    case = _led(session, principal, handover_id)
    words = _said(reason)
    legs = store.legs_of(session, case.id)
    if any(leg.state == Leg.COMPLETED for leg in legs):
        raise Conflict("已有一步完成，不能取消；没有接任者请改为交还 / a leg is done", code="leg_done")
    _cancel_legs(session, legs, principal.user, words, now)
    _end(session, case, CaseEvent.CANCEL, principal.user, words, now)
    tell_parties(session, case, "cancel", "交接已取消", words, now)
    return case


def conclude(
    session: Session, principal: Principal, handover_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> Handover:
    """The kit is back with the lead and nobody follows: the handover ends as a return. Raise `Conflict` before that."""
    case = _led(session, principal, handover_id)
    words = _said(reason)
    legs = store.legs_of(session, case.id)
    if case.kind != "handover" or legs[0].state != Leg.COMPLETED:
        raise Conflict("第一步完成以后才能改为交还 / the first leg is not done", code="handover_state")
    _cancel_legs(session, [leg for leg in legs if leg.number == 2], principal.user, words, now)
    case.kind, case.receiver_id = "return", None
    _end(session, case, CaseEvent.COMPLETE, principal.user, words, now)
    return case


def _cancel_legs(session: Session, legs: list[HandoverLeg], by: str, words: str, now: dt.datetime) -> None:
    for leg in legs:
        if leg.state in (Leg.SIGNING, Leg.HALF_SIGNED):
            row = store.open_round(session, leg)
            row.outcome, row.outcome_words, row.outcome_by, row.outcome_at = "cancelled", words, by, now
        store.move_leg(session, leg, LegEvent.CANCEL)


def _end(session: Session, case: Handover, event: CaseEvent, by: str, words: str, now: dt.datetime) -> None:
    store.move_case(session, case, event, ended_by=by, ended_at=now, end_reason=words)
    release(session, case.cause, now, by=by)
    close_lead_task(session, case, by, now)
    note_case(session, by, case, str(event), now, reason=words)


def complete_case(session: Session, case: Handover, by: str, now: dt.datetime) -> None:
    """The last leg is signed. Internal."""
    _end(session, case, CaseEvent.COMPLETE, by, "", now)


def _led(session: Session, principal: Principal, handover_id: uuid.UUID) -> Handover:
    """An open case that the caller may lead, locked."""
    case = store.find(session, principal, handover_id, lock=True)
    principal.require_role(case.centre_id, *DESK)
    if case.state != Case.OPEN:
        raise Conflict("这次交接已经结束 / this handover has ended", code="handover_state")
    return case


def _require(leg: HandoverLeg, *states: Leg) -> None:
    if leg.state not in states:
        raise Conflict("文本已定稿，请先退回修改 / its text is up for signing", code="frozen")


def _said(reason: str) -> str:
    words = one_line(reason, MAX_WORDS)
    if not words:
        raise Invalid("请写明原因 / say why", fields=[FieldError("reason", "required", "必填 / required")])
    return words
