"""What contradicts a certificate that is up for signing or was issued."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.notify import Recipients, tell
from app.tasks import open_task
from app.wipe import inspection_store
from app.wipe.model import Wipe
from app.wipe.noting import write_step


def task_key(wipe: Wipe) -> str:
    return f"wipe.certificate:{wipe.id}"


def drop_draft(session: Session, wipe: Wipe, by: str, why: str, now: dt.datetime) -> None:
    """Take a text that is up for signing back; who has signed it has signed nothing that counts."""
    row = inspection_store.standing(session, wipe.id)
    if row is None or row.state != "signing":
        return
    inspection_store.move_certificate(
        session, row, state="dropped", ended_by=by, ended_at=now, ended_why=why[:500]
    )
    write_step(session, wipe, "cert_drop", why, by, now, certificate=str(row.id))


def contest_certificate(session: Session, wipe: Wipe, why: str, now: dt.datetime) -> None:
    """Something read after the certificate tells against the erasure: it is marked, and people decide.

    The certificate is not taken back by itself: a reading may be of a phone that was mistaken for this one.
    """
    row = inspection_store.standing(session, wipe.id)
    if row is None or row.contested_at is not None:
        return
    inspection_store.move_certificate(session, row, contested_at=now, contested_why=why[:500])
    write_step(session, wipe, "cert_doubt", why, "system", now, certificate=str(row.id))
    link, title = f"/wipes/{wipe.id}/certificate", f"销毁证明与后来的检查矛盾：{wipe.asset_tag}"
    open_task(
        session, key=task_key(wipe), kind="wipe", centre_id=wipe.centre_id, handset_id=wipe.handset_id, link=link,
        title=title, body=f"{why}\n请核实：证明有误的，撤销证明；检查有误的，写明原因。",
        roles=("lead",), now=now,
    )  # fmt: skip
    tell(
        session, key=f"wipe.certificate:{row.id}:contested", kind="wipe", centre_id=wipe.centre_id, urgent=True,
        to=Recipients(roles=("lead",)), title=title, body=why, link=link, now=now,
    )  # fmt: skip
