"""What people are told of exemptions, and who is asked to decide. The phone is named by its asset tag."""

from __future__ import annotations

import datetime as dt

import orjson
from sqlalchemy.orm import Session

from app.compliance.exemption_model import ComplianceExemption
from app.compliance.exemption_rules import last_day
from app.compliance.finding_words import title_of
from app.compliance.store import stored_findings
from app.kernel.ids import parse_id
from app.kernel.tenancy import SYSTEM
from app.notify import Recipients, tell
from app.people import users_with
from app.registry import Handset, ServiceCentre, holder_of
from app.tasks import close_task, open_task

KIND = "exemption"
_OUTCOMES = {
    "approve": ("例外已批准", "批准期间，这一项不算不合规。"),
    "decline": ("例外未批准", "这一项照常判定。"),
    "lapse": ("例外申请过期未批", "没有人在结束日期前批准；需要时请重新申请。"),
}


def link_to(row: ComplianceExemption) -> str:
    return f"/compliance/exemptions/{row.id}"


def place_name(session: Session, row: ComplianceExemption) -> str:
    """The phone by its asset tag, or the whole centre."""
    if row.handset_id is not None:
        return session.get_one(Handset, row.handset_id).asset_tag
    return f"{session.get_one(ServiceCentre, row.centre_id).name}全部手机"


def what(session: Session, row: ComplianceExemption) -> str:
    """The finding as people call it: an app by its name, where the phone's verdict knows one."""
    phones = [row.handset_id] if row.handset_id is not None else []
    labels = {
        str(finding["evidence"].get("label") or "")
        for found in stored_findings(session, SYSTEM, phones)
        for finding in orjson.loads(found.findings)
        if (finding["code"], finding["subject"]) == (row.code, row.subject)
    }
    about = "，".join(filter(None, [*labels, row.subject]))
    return f"{title_of(row.code)}{f'（{about}）' if about else ''}"


def ask_for_decision(
    session: Session, row: ComplianceExemption, roles: tuple[str, ...], now: dt.datetime
) -> None:
    """A task for whoever may decide, and a notice to each of them but who asked."""
    title = f"批准应用例外：{place_name(session, row)}"
    body = f"{what(session, row)}，到 {last_day(row.valid_to)} 为止。理由：{row.reason}"
    open_task(
        session, key=_task_key(row), kind=KIND, centre_id=row.centre_id, title=title, body=body,
        link=link_to(row), handset_id=row.handset_id, roles=roles, due_at=row.valid_to, now=now,
    )  # fmt: skip
    others = users_with(session, row.centre_id, *roles, at=now)
    to = Recipients(users=tuple(user for user in others if str(user) != row.requested_by))
    _tell(session, row, "ask", title, body, to, now)


def close_decision(session: Session, row: ComplianceExemption, how: str, by: str, now: dt.datetime) -> None:
    close_task(session, _task_key(row), how=how, by=by, now=now)


def tell_decided(session: Session, row: ComplianceExemption, step: str, now: dt.datetime) -> None:
    """Who asked; and once it holds whoever has the phone, who must know what he may keep."""
    title, meaning = _OUTCOMES[step]
    said = f"说明：{row.decision}" if row.decision else ""
    body = f"{what(session, row)}，到 {last_day(row.valid_to)} 为止。{meaning}{said}"
    _tell_both(session, row, step, title, body, now, butler=step == "approve")


def tell_ending(session: Session, row: ComplianceExemption, now: dt.datetime) -> bool:
    """False when that was told before."""
    asker = parse_id(row.requested_by)
    if asker is None:
        return False
    body = f"{what(session, row)}：例外到 {last_day(row.valid_to)} 为止，之后照常判定。要延长请重新申请，由另一人批准。"
    title = f"例外快到期：{place_name(session, row)}"
    return _tell(session, row, "ending", title, body, Recipients(users=(asker,)), now)


def tell_ended(session: Session, row: ComplianceExemption, now: dt.datetime) -> None:
    why = f"原因：{row.end_reason}" if row.end_reason else "已到期。"
    body = f"{what(session, row)}：例外已结束，从现在起照常判定。{why}"
    _tell_both(session, row, "end", "例外已结束", body, now, butler=True)


def _task_key(row: ComplianceExemption) -> str:
    return f"compliance.exemption:{row.id}"


def _tell_both(
    session: Session,
    row: ComplianceExemption,
    step: str,
    title: str,
    body: str,
    now: dt.datetime,
    *,
    butler: bool,
) -> None:
    """Each by a link that he can open: a butler sees no page of the desk."""
    headline = f"{title}：{place_name(session, row)}"
    asker = parse_id(row.requested_by)
    if asker is not None:
        _tell(session, row, step, headline, body, Recipients(users=(asker,)), now)
    holder = holder_of(session, SYSTEM, row.handset_id, now) if butler and row.handset_id else None
    if holder is not None and holder.employee_id is not None:
        to = Recipients(employees=(holder.employee_id,))
        _tell(session, row, f"{step}.butler", headline, body, to, now, link="/my")


def _tell(
    session: Session, row: ComplianceExemption, step: str, title: str, body: str, to: Recipients, now: dt.datetime,
    *, link: str = "",
) -> bool:  # fmt: skip
    return tell(
        session, key=f"{KIND}:{row.id}:{step}", kind=KIND, centre_id=row.centre_id, to=to, title=title, body=body,
        link=link or link_to(row), now=now,
    )  # fmt: skip
