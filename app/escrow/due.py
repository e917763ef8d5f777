"""When a secret must be renewed: it was shown, who knew it left, or it is old."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.escrow import store
from app.escrow.model import Secret
from app.escrow.rights import has_phone
from app.escrow.rules import kinds_of
from app.escrow.sealing import note
from app.escrow.states import RevealEvent
from app.kernel.errors import NotFound
from app.kernel.ids import parse_id
from app.kernel.tenancy import Principal
from app.notify import Recipients, tell
from app.people import principal_of
from app.policy import PolicyFiles, effective, effective_many
from app.tasks import close_task, open_task

KNOWERS = ("operations", "lead", "it")
CAUSES: Mapping[str, str] = {
    "shown": "有人查看过",
    "left": "知道密码的人已离岗",
    "age": "已到更换期限",
    "handed": "手机已交接",
    "lost": "手机遗失",
}
_BATCH = 200
_SYSTEM = "system"


def mark_due(
    session: Session,
    secret: Secret,
    cause: str,
    due_at: dt.datetime,
    now: dt.datetime,
    *,
    policies: PolicyFiles,
) -> None:
    """Its renewal is due then, or earlier when it was already; people are asked once."""
    if secret.due_at is not None and secret.due_at <= due_at and secret.renew_cause == cause:
        return
    secret.due_at = due_at if secret.due_at is None else min(secret.due_at, due_at)
    secret.renew_cause = cause
    link = f"/escrow/secrets/{secret.id}"
    title = _title(session, secret, policies)
    open_task(
        session, key=task_key(secret), kind="secret", centre_id=secret.centre_id, title=title, body=CAUSES[cause],
        link=link, handset_id=secret.handset_id, due_at=secret.due_at, roles=("operations", "lead"), now=now,
    )  # fmt: skip
    tell(
        session, key=f"escrow.due:{secret.id}:{secret.in_force}:{cause}", kind="secret", centre_id=secret.centre_id,
        to=Recipients(roles=("operations", "lead"), group=True), title=title, body=CAUSES[cause], link=link, now=now,
    )  # fmt: skip
    note(session, _SYSTEM, secret, "escrow.due", now, cause=cause)
    session.flush()


def _title(session: Session, secret: Secret, policies: PolicyFiles) -> str:
    """Which one: a kit has several, and all fall due at once when it changes hands."""
    kind = kinds_of(effective(session, policies, "escrow", secret.centre_id).body).get(secret.kind)
    name = store.name_of(store.of(secret), store.subject_of(session, secret))
    return f"更换密码：{kind.label if kind else secret.kind} {name}"


def clear_due(session: Session, secret: Secret, actor: str, now: dt.datetime) -> None:
    secret.due_at = secret.renew_cause = None
    close_task(session, task_key(secret), how="已更换", by=actor, now=now)


def task_key(secret: Secret) -> str:
    return f"escrow.renew:{secret.id}"


def mark_old(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Those in force for longer than policy lets them be, so many a run; how many were marked.

    All kits of a company that filed on one day fall due on one day: marked at once they would hold every writer up.
    """
    number = 0
    for centre, policy in effective_many(session, policies, "escrow", store.centres(session)).items():
        for kind in kinds_of(policy.body).values():
            before = now - dt.timedelta(days=kind.max_age_days)
            for secret in store.in_force_since(session, kind.name, centre, before, _BATCH - number):
                mark_due(session, secret, "age", now, now, policies=policies)
                number += 1
            if number >= _BATCH:
                return number
    return number


def mark_left(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Secrets whose knower may no longer know them: neither a role of the desk where they are, nor the phone itself.

    How many were marked.
    """
    number = 0
    for person in store.knowers(session):
        user_id = parse_id(person)
        if user_id is None:
            continue
        try:
            principal = principal_of(session, user_id, now)
        except NotFound:
            principal = None
        for secret, centre in store.known_by(session, person):
            if not _may_know(session, principal, secret, centre, now):
                mark_due(session, secret, "left", now, now, policies=policies)
                number += 1
    return number


def _may_know(
    session: Session, principal: Principal | None, secret: Secret, centre: uuid.UUID, now: dt.datetime
) -> bool:
    if principal is None or principal.may(centre, *KNOWERS):
        return principal is not None
    return secret.handset_id is not None and has_phone(session, principal, secret.handset_id, now)


def expire_reveals(session: Session, now: dt.datetime) -> int:
    """Requests that nobody decided on, and approvals that nobody used."""
    found = store.overdue_reveals(session, now, _BATCH)
    for row in found:
        store.move_reveal(session, row, RevealEvent.EXPIRE, token_hash=None)
        close_task(session, f"escrow.approve:{row.id}", how="已过期", by=_SYSTEM, now=now)
    return len(found)
