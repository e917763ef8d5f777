"""What touches a person or a secret: money, roles, papers; and of a secret its status, never itself."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.allowance import ACCOUNT_WORDS
from app.escrow import kit_secrets
from app.history import store
from app.history.tools import MOST, Tools
from app.kernel.money import format_yuan
from app.kernel.tenancy import Principal
from app.kernel.timeline import LifeEvent, Subject
from app.ledger import list_entries
from app.papers import KINDS, papers_of
from app.people import ROLE_WORDS, names_of, user_of_employee

ESCROW_SEERS = ("operations", "lead", "it", "auditor")
_ESCROW = {
    "escrow.file": "密码备案",
    "escrow.in_force": "新密码生效",
    "escrow.drop": "撤回待生效的密码",
    "escrow.file_same": "备案的和使用中的相同，没有收",
    "escrow.check": "核对密码",
    "escrow.due": "密码应更换",
    "escrow.reveal_request": "申请查看密码",
    "escrow.reveal_open": "打开查看页",
    "escrow.reveal": "查看密码",
    "escrow.reveal_approve": "批准查看密码",
    "escrow.reveal_reject": "不批准查看密码",
    "escrow.reveal_withdraw": "撤回查看申请",
    "escrow.lock_check_ask": "请网关在手机上核对",
    "escrow.lock_set_ask": "请网关在手机上设置新密码",
    "escrow.lock_cancel": "取消网关的操作",
    "escrow.lock_check": "网关在手机上核对",
    "escrow.lock_set": "网关在手机上设置",
    "escrow.tampered": "密码记录被改动，已拒绝使用",
}


def secrets(session: Session, principal: Principal, subject: Subject, tools: Tools) -> list[LifeEvent]:
    """Filed, checked, asked for, shown: by whom and when."""
    if subject.kind not in ("handset", "number", "wechat") or not principal.has_any(*ESCROW_SEERS):
        return []
    parts = {f"{subject.kind}_ids": [subject.id]}
    seer = principal.narrowed(*ESCROW_SEERS)
    states = kit_secrets(session, seer, tools.policies, **parts, now=tools.now)
    labels = {f"secret:{state.id}": state.label for state in states if state.id is not None}
    rows = [row for row in store.trail(session, seer, labels) if row.action in _ESCROW] if labels else []
    people = names_of(session, [row.actor for row in rows])
    return [
        LifeEvent(
            row.at,
            f"{labels[row.object]}：{_ESCROW[row.action]}",
            "，".join(part for part in (people[row.actor], _outcome(row.action, row.outcome)) if part),
            f"/escrow/{row.object.replace('secret:', 'secrets/')}",
            "escrow",
        )
        for row in rows
    ]


def _outcome(action: str, outcome: str) -> str:
    if outcome == "ok":
        return "一致" if action == "escrow.check" else ""
    return {"mismatch": "不一致", "refused": "被拒绝"}.get(outcome, outcome)


def money(session: Session, principal: Principal, subject: Subject, _: Tools) -> list[LifeEvent]:
    if subject.kind != "employee":
        return []
    rows = list_entries(session, principal, employee_id=subject.id, limit=MOST).items
    return [
        LifeEvent(
            row.booked_at,
            f"{ACCOUNT_WORDS.get(row.account, row.account)}：{'-' if row.amount_fen < 0 else ''}"
            f"¥{format_yuan(abs(row.amount_fen))}",
            "；".join(part for part in (f"{row.month} 月", row.rule, row.note) if part),
            None,
            "ledger",
        )
        for row in rows
    ]


def roles(session: Session, principal: Principal, subject: Subject, _: Tools) -> list[LifeEvent]:
    """What he may do in the system, from then until then."""
    if subject.kind != "employee":
        return []
    user_id = user_of_employee(session, subject.id)
    if user_id is None:
        return []
    centres = store.centre_names(session)
    found = []
    for row in store.grants(session, principal, user_id):
        where = centres.get(row.centre_id, "") if row.centre_id else "全公司"
        word = ROLE_WORDS.get(row.role, row.role)
        found.append(LifeEvent(row.valid_from, f"授予角色：{word}", where, None, "user", row.valid_to))
        if row.valid_to is not None:
            found.append(LifeEvent(row.valid_to, f"角色结束：{word}", where, None, "user"))
    return found


def papers(session: Session, principal: Principal, subject: Subject, _: Tools) -> list[LifeEvent]:
    """Those that a person is a party to."""
    if subject.kind != "employee":
        return []
    return [
        LifeEvent(row.issued_at, f"单据：{KINDS[row.kind].label}", row.number, f"/papers/{row.id}", "paper")
        for row in papers_of(session, principal, subject.id, limit=MOST)
    ]
