"""What was found of a phone or held against a person: incidents, delegations, excuses, compliance, commands."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.commands import list_commands
from app.compliance import list_changes
from app.duty import DUTY_STATE_WORDS, EXCUSE_REASONS
from app.history import store
from app.history.tools import MOST, Tools
from app.incidents import STATUS_WORDS, incidents_of
from app.kernel.errors import NotFound
from app.kernel.tenancy import Principal
from app.kernel.timeline import LifeEvent, Subject
from app.overview import COMMAND_KINDS, COMMAND_WORDS, VERDICT_WORDS
from app.people import names_of


def incidents(session: Session, principal: Principal, subject: Subject, _: Tools) -> list[LifeEvent]:
    if subject.kind not in ("handset", "employee"):
        return []
    handset = subject.id if subject.kind == "handset" else None
    person = subject.id if subject.kind == "employee" else None
    rows = incidents_of(
        session, principal, handset_id=handset, employee_id=person, gone=True, limit=MOST
    ).items
    tags = store.names(session, "handset", [row.handset_id for row in rows])
    people = store.names(session, "employee", [row.employee_id for row in rows])
    found = []
    for row in rows:
        holder = people.get(row.employee_id, "") if row.employee_id else "无人保管"
        other = tags.get(row.handset_id, "") if person else holder
        state = "后来的证据使它不再成立" if row.gone_at else STATUS_WORDS[row.status]
        strikes = f"，计 {row.strikes} 次" if row.strikes and not row.gone_at else ""
        found.append(
            LifeEvent(
                row.start_at,
                f"关机事件：{state}{strikes}",
                other,
                f"/incidents/{row.id}",
                "incidents",
                row.end_at,
            )
        )
    return found


def delegations(session: Session, principal: Principal, subject: Subject, _: Tools) -> list[LifeEvent]:
    if subject.kind not in ("handset", "post", "employee"):
        return []
    rows = store.delegations(session, principal, subject)
    people = store.names(session, "employee", [p for row in rows for p in (row.giver_id, row.delegate_id)])
    tags = store.names(session, "handset", [row.handset_id for row in rows])
    posts = store.names(session, "post", [row.to_post_id for row in rows])
    return [
        LifeEvent(
            row.force_from or row.starts_at,
            f"委托：{DUTY_STATE_WORDS['Delegation', row.state]}",
            f"{tags.get(row.handset_id, '')}：{people.get(row.giver_id, '')} → "
            + (
                people.get(row.delegate_id, "")
                if row.delegate_id
                else f"岗位 {posts.get(row.to_post_id, '')}"
            ),
            None,
            "duty",
            row.force_to or row.ends_at,
        )
        for row in rows
    ]


def excuses(session: Session, principal: Principal, subject: Subject, _: Tools) -> list[LifeEvent]:
    if subject.kind != "handset":
        return []
    return [
        LifeEvent(
            row.starts_at,
            f"{EXCUSE_REASONS[row.reason]}：{DUTY_STATE_WORDS['Excuse', row.state]}",
            row.note,
            None,
            "duty",
            row.ends_at,
        )
        for row in store.excuses(session, principal, subject.id)
    ]


def compliance(session: Session, principal: Principal, subject: Subject, _: Tools) -> list[LifeEvent]:
    """Each verdict that differed from the one before, with what failed."""
    if subject.kind != "handset":
        return []
    try:
        rows = list_changes(session, principal, subject.id, cursor=None, limit=MOST).items
    except NotFound:  # it left the caller's centres since
        return []
    return [
        LifeEvent(
            row.at,
            f"合规检查：{VERDICT_WORDS[row.status][1]}",
            "；".join(finding.zh for finding in row.findings if finding.status == "fail")[:300],
            f"/phones/{subject.id}",
            "compliance",
        )
        for row in rows
        if row.at is not None
    ]


def commands(session: Session, principal: Principal, subject: Subject, _: Tools) -> list[LifeEvent]:
    if subject.kind != "handset":
        return []
    rows = list_commands(session, principal, handset_id=subject.id, limit=MOST).items
    people = names_of(session, [row.created_by for row in rows])
    return [
        LifeEvent(
            row.created_at,
            f"命令：{COMMAND_KINDS.get(row.kind, row.kind)}",
            f"{COMMAND_WORDS[row.state][1]}；{people[row.created_by]}",
            f"/commands?phone={subject.id}",
            "command",
            row.finished_at,
        )
        for row in rows
    ]
