"""Phones that are to be ruled again since something changed, and those that cannot be: none stays so unnoticed."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.incidents import store
from app.kernel.tenancy import SYSTEM
from app.policy import PolicyFiles, effective, effective_many
from app.registry import find_handset
from app.tasks import close_task, open_task
from app.uptime import put_off, queue_settling, queued_phones


def queue_changed(session: Session, now: dt.datetime, policies: PolicyFiles, limit: int = 2000) -> int:
    """Queue the phones whose custody, centre or policy is another than they were ruled by, and those never ruled.

    The registry and the policies know nothing of incidents, so what changed there is found by comparing.
    """
    phones = {**store.with_changed_ties(session, limit=limit), **store.never_ruled(session, limit)}
    ruled = store.policies_ruled_by(session)
    found = effective_many(session, policies, "uptime", {centre for centre, _ in ruled})
    for centre_id, sha256 in sorted(ruled):
        if centre_id in found and found[centre_id].sha256 != sha256:
            phones |= dict.fromkeys(store.ruled_by(session, centre_id, sha256, limit), centre_id)
    phones |= store.moved(session, limit)
    queue_settling(session, phones, now)
    return len(phones)


def unsettled(session: Session, centre_id: uuid.UUID, now: dt.datetime) -> int:
    """Phones of a centre whose ruling does not stand on all that is known now: something came in, or their custody
    changed. A month is not closed on those. Internal.
    """
    return len(queued_phones(session, centre_id, now) | store.with_changed_ties(session, centre_id).keys())


def note_failure(
    session: Session, handset_id: uuid.UUID, centre_id: uuid.UUID, now: dt.datetime, policies: PolicyFiles
) -> None:
    """Try a phone again later; after policy's number of failures in a row somebody is asked to find out why."""
    body = effective(session, policies, "incidents", centre_id).body
    failed = put_off(session, handset_id, now + dt.timedelta(minutes=body["retry_minutes"]))
    if failed < body["report_failures"]:
        return
    tag = find_handset(session, SYSTEM, handset_id).asset_tag
    open_task(
        session, key=_key(handset_id), kind="unruled", centre_id=centre_id, handset_id=handset_id, now=now,
        title=f"手机 {tag} 的开关机证据无法裁定", roles=("it", "admin"), link=f"/phones/{handset_id}",
        body=f"已连续 {failed} 次失败，系统会继续重试。此前的结论保持不变，但新的证据没有计入，本月不能关账。"
        "原因在调度器日志的 settling_failed 里。",
    )  # fmt: skip


def note_success(session: Session, handset_id: uuid.UUID, now: dt.datetime) -> None:
    """A phone was ruled after it had failed."""
    close_task(session, _key(handset_id), how="已裁定成功", by=SYSTEM.user, now=now)


def _key(handset_id: uuid.UUID) -> str:
    return f"unruled:{handset_id}"
