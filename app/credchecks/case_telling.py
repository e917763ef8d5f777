"""What people are asked and told of a case. A notice names the account and the kind of password, never more."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.credchecks.model import ChangeCase
from app.credchecks.states import FINDING_WORDS, Finding
from app.credchecks.telling import minute
from app.notify import Recipients, tell
from app.tasks import close_task, open_task

KIND = "change"
_MINE = "/my/round"


def to_answer_key(row: ChangeCase) -> str:
    return f"change_case:{row.id}"


def _link(row: ChangeCase) -> str:
    return f"/rounds/cases/{row.id}"


def _what(row: ChangeCase) -> str:
    return f"{row.subject_name} 的{row.label}"


def tell_found(session: Session, row: ChangeCase, now: dt.datetime) -> None:
    until = minute(row.statement_until) if row.statement_until else ""
    body = (
        f"月度核对发现{_what(row)}和备案的不一致。请在 {until} 前说明情况；说明之前不作认定。"
        "公司设置的密码不得自行更改（R07）。"
    )
    _tell(session, row, "found", "密码核对不一致，请说明", body, now)
    tell(
        session, key=f"change_case:{row.id}:staff", kind=KIND, centre_id=row.centre_id,
        to=Recipients(roles=("lead", "operations")), title=f"密码核对不一致：{row.subject_name}",
        body=f"{_what(row)}和备案的不一致，已请管家说明。", link=_link(row), now=now,
    )  # fmt: skip


def to_decide(session: Session, row: ChangeCase, due: dt.datetime, now: dt.datetime) -> None:
    open_task(
        session, key=to_answer_key(row), kind=KIND, centre_id=row.centre_id, title=f"认定：{_what(row)}不一致",
        body="看过管家的说明以后作出认定。", link=_link(row), due_at=due, roles=("lead", "operations"), now=now,
    )  # fmt: skip


def tell_decided(session: Session, row: ChangeCase, now: dt.datetime) -> None:
    body = f"{_what(row)}：认定为{FINDING_WORDS[row.finding or '']}。理由：{row.reason}"
    if row.finding == Finding.UNAUTHORISED and row.appeal_until is not None:
        body += f" 如有异议，可在 {minute(row.appeal_until)} 前申诉一次，由另一人复核。"
    _tell(session, row, "decided", "密码不一致的认定", body, now)


def tell_appealed(session: Session, row: ChangeCase, due: dt.datetime, now: dt.datetime) -> None:
    open_task(
        session, key=to_answer_key(row), kind=KIND, centre_id=row.centre_id, title=f"复核申诉：{_what(row)}不一致",
        body="由作出认定以外的人复核。", link=_link(row), due_at=due, roles=("lead", "operations"), now=now,
    )  # fmt: skip


def tell_answered(session: Session, row: ChangeCase, now: dt.datetime) -> None:
    word = "维持原认定" if row.finding == Finding.UNAUTHORISED else "撤销原认定"
    _tell(session, row, "answered", "申诉复核结果", f"{_what(row)}：{word}。理由：{row.answer}", now)


def case_over(session: Session, row: ChangeCase, how: str, actor: str, now: dt.datetime) -> None:
    close_task(session, to_answer_key(row), how=how, by=actor, now=now)


def _tell(session: Session, row: ChangeCase, step: str, title: str, body: str, now: dt.datetime) -> None:
    if row.employee_id is None:
        return
    tell(
        session, key=f"change_case:{row.id}:{step}", kind=KIND, centre_id=row.centre_id,
        to=Recipients(employees=(row.employee_id,)), title=title, body=body, link=_MINE, now=now,
    )  # fmt: skip
