"""For other rooms: which passwords a kit has, when each was last checked, and that it was handed over."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.escrow import store
from app.escrow.checking import day_of
from app.escrow.due import CAUSES, mark_due
from app.escrow.model import Secret
from app.escrow.rules import SCREEN_LOCK, Kind, kinds_of
from app.kernel.errors import NotFound
from app.kernel.paging import Page
from app.kernel.tenancy import Principal
from app.policy import PolicyFiles, effective_many


@dataclass(frozen=True)
class SecretState:
    """One password that policy asks of one part of a kit; never what it is.

    `id` None: never filed. `filed`: one is in force, since `filed_at`; `waiting`: a new one is filed and not in force
    yet. `matched` None: not checked since then, else the result at `checked_at`. `due`: why it must be renewed by
    `due_at`, "" when it need not. `tries_left`: blind checks left today, None while nothing is in force. `on_phone`:
    the agent may be asked to check it on the phone itself. `holder_files`: who has the phone may file it himself.
    """

    id: uuid.UUID | None
    of: str
    subject_id: uuid.UUID
    subject_name: str
    kind: str
    label: str
    filed: bool
    filed_at: dt.datetime | None
    waiting: bool
    checked_at: dt.datetime | None
    matched: bool | None
    due: str
    due_at: dt.datetime | None
    tries_left: int | None
    on_phone: bool
    holder_files: bool


def kit_secrets(
    session: Session,
    principal: Principal,
    policies: PolicyFiles,
    *,
    handset_ids: Iterable[uuid.UUID] = (),
    number_ids: Iterable[uuid.UUID] = (),
    wechat_ids: Iterable[uuid.UUID] = (),
    now: dt.datetime,
) -> list[SecretState]:
    """Every kind that policy has for these parts, filed or not; parts of foreign centres are left out.

    In the order of phones, numbers, accounts, each by name, then of the policy's kinds.
    """
    asked = {"handset": handset_ids, "number": number_ids, "wechat": wechat_ids}
    parts = [(of, row) for of, ids in asked.items() for row in store.parts(session, principal, of, list(ids))]
    return _states(session, parts, policies, now)


def list_secrets(
    session: Session,
    principal: Principal,
    policies: PolicyFiles,
    *,
    of: str,
    centre_id: uuid.UUID | None,
    q: str,
    cursor: str | None,
    limit: int,
    now: dt.datetime,
) -> Page[SecretState]:
    """As `kit_secrets`, of all parts of one sort in the caller's centres that are in use, so many parts a page."""
    page = store.subjects(
        session, principal, of, centre_id=centre_id, words=q.strip(), cursor=cursor, limit=limit
    )
    return Page(_states(session, [(of, row) for row in page.items], policies, now), page.next_cursor)


def one_secret(
    session: Session, principal: Principal, policies: PolicyFiles, secret_id: uuid.UUID, now: dt.datetime
) -> SecretState:
    """Raise `NotFound`, also for a foreign one, and for a kind that policy no longer has."""
    secret, _ = store.find(session, principal, secret_id)
    found = _states(session, [(store.of(secret), store.subject_of(session, secret))], policies, now)
    state = next((state for state in found if state.kind == secret.kind), None)
    if state is None:
        raise NotFound("制度里已没有这种密码 / policy has no such kind any more")
    return state


def _states(
    session: Session, parts: Sequence[tuple[str, Any]], policies: PolicyFiles, now: dt.datetime
) -> list[SecretState]:
    bodies = effective_many(session, policies, "escrow", {row.centre_id for _, row in parts})
    secrets = {
        (secret.subject_id, secret.kind): secret
        for of in store.SUBJECTS
        for secret in store.secrets_of(session, of, [row.id for found_of, row in parts if found_of == of])
    }
    tries = store.tries_of(session, [secret.id for secret in secrets.values()], day_of(now))
    found = []
    for of, row in parts:
        body = bodies[row.centre_id].body
        for kind in kinds_of(body).values():
            if kind.of == of:
                secret = secrets.get((row.id, kind.name))
                used = tries.get(secret.id, 0) if secret is not None else 0
                found.append(_state(of, row, kind, secret, max(0, body["checks_per_day"] - used)))
    return found


def _state(of: str, row: Any, kind: Kind, secret: Secret | None, tries_left: int) -> SecretState:
    if secret is None:
        secret = Secret()
    filed = secret.in_force is not None
    return SecretState(
        id=secret.id,
        of=of,
        subject_id=row.id,
        subject_name=store.name_of(of, row),
        kind=kind.name,
        label=kind.label,
        filed=filed,
        filed_at=secret.since,
        waiting=secret.pending is not None,
        checked_at=secret.checked_at,
        matched=secret.matched,
        due=CAUSES[secret.renew_cause] if secret.renew_cause else "",
        due_at=secret.due_at,
        tries_left=tries_left if filed else None,
        on_phone=filed and kind.name == SCREEN_LOCK,
        holder_files=kind.holder_files,
    )


def touched_since(session: Session, instant: dt.datetime) -> dict[uuid.UUID, dt.datetime]:
    """Parts of kits, of every centre, of which a password was checked or came into force since then, and when last.

    Internal: for jobs that look at nothing else.
    """
    return store.touched(session, instant)


def mark_handed(
    session: Session,
    policies: PolicyFiles,
    secret_ids: Sequence[uuid.UUID],
    now: dt.datetime,
    *,
    due_at: dt.datetime,
) -> None:
    """The kit went to somebody else, and who had it knows its passwords: each is to be renewed by `due_at`.

    Those of which none is in force are passed over.
    """
    _mark(session, policies, "handed", secret_ids, due_at, now)


def mark_lost(
    session: Session,
    policies: PolicyFiles,
    secret_ids: Sequence[uuid.UUID],
    now: dt.datetime,
    *,
    due_at: dt.datetime,
) -> None:
    """As `mark_handed`: the phone is lost, and whoever finds it may get at what stands on it."""
    _mark(session, policies, "lost", secret_ids, due_at, now)


def _mark(
    session: Session,
    policies: PolicyFiles,
    cause: str,
    secret_ids: Sequence[uuid.UUID],
    due_at: dt.datetime,
    now: dt.datetime,
) -> None:
    # In one order everywhere: two that lock the same rows in different orders would wait for each other for ever.
    for secret_id in sorted(secret_ids):
        secret = store.lock(session, secret_id)
        if secret.in_force is not None:
            mark_due(session, secret, cause, due_at, now, policies=policies)
