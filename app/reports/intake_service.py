"""What strangers send through a post's code: written down alike whatever it is, and looked at afterwards by a job.

The answer to the customer must tell nothing: not whether the code, the room, the phone exist, nor who holds it. So the
request itself only counts and writes, the same statements for every form; all that depends on the content comes later.
"""

from __future__ import annotations

import datetime as dt
import uuid

import structlog
from sqlalchemy.orm import Session

from app.kernel.errors import DomainError
from app.kernel.ids import new_id
from app.kernel.tenancy import SYSTEM
from app.kernel.texts import one_line
from app.notify import Recipients, tell
from app.policy import PolicyFiles, effective
from app.probes import start_probe
from app.reports import code_store, store
from app.reports.model import CustomerReport, ReportCode, ReportIntake
from app.reports.rules import WHEN, hour_of, match
from app.reports.states import State
from app.tasks import open_task

log = structlog.get_logger(__name__)
MAX_ROOM, MAX_SAID, MAX_KEY = 60, 200, 100
_MAX_CODE = 40
_A_RUN = 100
_NOBODYS = "none"


def receive(
    session: Session,
    *,
    code: str,
    form_key: str,
    room: str,
    said: str,
    when_said: str,
    policies: PolicyFiles,
    now: dt.datetime,
) -> None:
    """Write a form down, or only count it when its code had too many in this hour. Never refuses anything."""
    code_id = code_store.code_id(session, one_line(code, _MAX_CODE))
    number = store.count_form(session, str(code_id or _NOBODYS), hour_of(now))
    if number > policies.latest("reports").body["per_code_hour"]:
        return
    values = {
        "id": new_id(), "form_key": one_line(form_key, MAX_KEY) or str(new_id()), "code_id": code_id,
        "room": one_line(room, MAX_ROOM), "said": one_line(said, MAX_SAID),
        "when_said": when_said if when_said in WHEN else "now", "received_at": now,
    }  # fmt: skip
    store.insert_intake(session, values)


def take_reports(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Make reports of the forms that came in, start probes, and ask people to judge; how many forms were looked at."""
    rows = store.waiting(session, _A_RUN)
    codes = code_store.codes(session, {row.code_id for row in rows if row.code_id is not None})
    for row in rows:
        row.taken_at = now
        code = codes.get(row.code_id) if row.code_id else None
        if code is not None:
            _take(session, row, code, policies, now)
    session.flush()
    return len(rows)


def _take(
    session: Session, row: ReportIntake, code: ReportCode, policies: PolicyFiles, now: dt.datetime
) -> None:
    body = effective(session, policies, "reports", code.centre_id).body
    grid_id = store.grid_of(session, code.post_id)
    matched, household_id = match(row.room, store.rooms(session, grid_id))
    report = store.insert_report(
        session,
        {
            "id": new_id(), "centre_id": code.centre_id, "post_id": code.post_id, "grid_id": grid_id,
            "room": row.room, "said": row.said, "when_said": row.when_said, "received_at": row.received_at,
            "matched": matched, "household_id": household_id, "state": State.NEW,
            "handset_id": store.phone_of(session, code.post_id, row.received_at),
        },
    )  # fmt: skip
    _probe(session, report, dt.timedelta(minutes=body["probe_every_minutes"]), now)
    ask_to_judge(session, report, now, dt.timedelta(hours=body["judge_hours"]))


def _probe(session: Session, report: CustomerReport, every: dt.timedelta, now: dt.datetime) -> None:
    if report.handset_id is None or store.probed_since(session, report.post_id, now - every):
        return
    try:
        with session.begin_nested():
            start_probe(session, SYSTEM, report.handset_id, "report", now)
    except DomainError as exc:  # a phone retired meanwhile, say: the report stands without a probe
        log.warning("report_without_probe", report=str(report.id), code=exc.code)
        return
    report.probed_at = now
    session.flush()


def ask_to_judge(session: Session, report: CustomerReport, now: dt.datetime, within: dt.timedelta) -> None:
    """Open the task to confirm or reject a report, and tell those who may."""
    post, grid = store.places(session, [report.post_id])[report.post_id]
    title = f"核实客户反映：{post}"
    body = f"有客户反映打不通{grid}管家的电话，请核实是否为本片区住户。"
    link = f"/reports/{report.id}"
    opened = open_task(
        session, key=task_key(report.id), kind="report", centre_id=report.centre_id, title=title, body=body,
        link=link, handset_id=report.handset_id, due_at=now + within, roles=("operations", "lead"), now=now,
    )  # fmt: skip
    if opened:
        tell(
            session, key=f"report:{report.id}", kind="report", centre_id=report.centre_id,
            to=Recipients(roles=("operations",), group=True), title=title, body=body, link=link, now=now,
        )  # fmt: skip


def task_key(report_id: uuid.UUID) -> str:
    return f"report:{report_id}"
