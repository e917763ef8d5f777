"""Who is told, and which task is open. A notice says how many and by when; what exactly stands behind its link."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.duty import answerable
from app.kernel.db import to_us
from app.notify import Recipients, tell
from app.registry import Handset
from app.remedy import store
from app.remedy.instructions import FOR_IT, steps_for
from app.remedy.model import RemedyCase
from app.remedy.noting import write_step
from app.remedy.rules import NOT_INSPECTED, step_at
from app.remedy.states import State
from app.remedy.tools import Tools, body_of, case_path, span_of
from app.remedy.words import WHY, code_words
from app.tasks import close_task, open_task

KIND = "remedy"
_SHANGHAI = ZoneInfo("Asia/Shanghai")


def holders(session: Session, handset_id: uuid.UUID, now: dt.datetime) -> list[str]:
    """Who has the phone now: its custodian and whom it is entrusted to, as texts, sorted."""
    return sorted(str(one) for one in answerable(session, handset_id, now))


def tell_holders(
    session: Session, tools: Tools, phone: Handset, cases: Sequence[RemedyCase], now: dt.datetime
) -> None:
    """One notice for all of a phone's findings; nobody is told where nobody has it. The cases note who was."""
    people = holders(session, phone.id, now)
    mine = [case for case in cases if case.code not in FOR_IT]
    for case in cases:
        told = people if case in mine else []
        store.write(session, case, told=told)
        write_step(session, case, "tell", _whom(told, case), "system", now, employees=told)
    if not people or not mine:
        return
    early = all(case.state == State.EARLY for case in mine)
    until = min((at for case in mine if (at := _until(session, tools, case)) is not None), default=None)
    lines = [f"· {case.words}" for case in mine[:10]]
    body = "\n".join(
        [
            f"{_when(until, now)}做法和还剩几项，登录后在“我的整改”里看。",
            *lines,
            *([f"……共 {len(mine)} 项"] if len(mine) > len(lines) else []),
            "工作确实需要的，请主管申请例外。逾期会通知主管"
            + ("。" if early else "，规定以外的应用可能被移除。"),
        ]
    )
    tell(
        session, key=f"remedy:butler:{phone.id}:{to_us(now)}", kind=KIND, centre_id=phone.centre_id,
        to=Recipients(employees=tuple(uuid.UUID(one) for one in people)),
        title=f"管家手机 {phone.asset_tag} 有 {len(mine)} 项{'需要留意' if early else '需要整改'}",
        body=body, link="/my/remedies", now=now,
    )  # fmt: skip


def _whom(told: Sequence[str], case: RemedyCase) -> str:
    if told:
        return "已通知现在保管手机的人"
    return "这一项由 IT 处理，不通知管家" if case.code in FOR_IT else "手机现在没有人保管，没有人可通知"


def _until(session: Session, tools: Tools, case: RemedyCase) -> dt.datetime | None:
    """When the lead is told of what fails by then; None while it does not fail."""
    if case.failing_since is None:
        return None
    return step_at(body_of(session, tools, case.centre_id), case.severity, case.failing_since, "lead")


def _when(until: dt.datetime | None, now: dt.datetime) -> str:
    """What grace is left stands on his page, by finding: nobody is hurried before its end."""
    if until is None:
        return "还在宽限期内，期满仍在才算不合规，请尽早处理；宽限到何时，见“我的手机”。"
    return f"请在 {local_time(until)} 前处理；" if until > now else "没有宽限，请马上处理；"


def tell_leads(session: Session, centre_id: uuid.UUID, cases: Sequence[RemedyCase], now: dt.datetime) -> None:
    """One notice a centre: how many phones and findings; a change of the list may make hundreds at once."""
    phones = {case.handset_id for case in cases}
    tell(
        session, key=f"remedy:lead:{centre_id}:{to_us(now)}", kind=KIND, centre_id=centre_id,
        to=Recipients(roles=("lead",)), title=f"{len(phones)} 台管家手机有 {len(cases)} 项逾期没有整改",
        body="管家已被通知，到期仍未处理。请督促，或在“整改”里下令移除、搁置；工作需要的申请例外。",
        link=f"/remedies?state={State.TOLD_LEAD}&centre={centre_id}", now=now,
    )  # fmt: skip


def task_key(case: RemedyCase) -> str:
    return f"remedy:{case.id}"


def ask_people(session: Session, tools: Tools, case: RemedyCase, said: str, now: dt.datetime) -> None:
    """Open the task of a case, with what to do. `said`: by the gateway, or by what stood in the way; may be empty."""
    phone = store.phones(session, [case.handset_id])[case.handset_id]
    due = now + span_of(body_of(session, tools, case.centre_id), "task_hours")
    steps = steps_for(case.code, phone.brand)
    body = "\n".join(
        [
            case.words,
            f"原因：{WHY.get(case.why or '', case.why or '')}" + (f"（{said}）" if said else ""),
            *(f"{n}. {step}" for n, step in enumerate(steps, 1)),
            "处理后让网关读一次手机，这件待办会自己结束。",
        ]
    )
    open_task(
        session, key=task_key(case), kind=KIND, centre_id=case.centre_id, title=_title(case, phone), body=body,
        link=case_path(case.id), handset_id=case.handset_id, due_at=due,
        roles=("it",) if case.code in FOR_IT else ("lead", "it"), now=now,
    )  # fmt: skip


def _title(case: RemedyCase, phone: Handset) -> str:
    if case.code == NOT_INSPECTED:
        return f"{phone.asset_tag} 有内容一直读不到"
    label = case.evidence.get("label")
    about = f"{label}（{case.subject}）" if label else case.subject
    return f"整改 {phone.asset_tag}：{code_words(case.code)} {about}".strip()


def stop_asking(session: Session, case: RemedyCase, how: str, by: str, now: dt.datetime) -> None:
    close_task(session, task_key(case), how=how, by=by, now=now)


def local_time(instant: dt.datetime) -> str:
    return instant.astimezone(_SHANGHAI).strftime("%m-%d %H:%M")
