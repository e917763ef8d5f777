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
from app.kernel.tenancy import Principal
from app.policy import PolicyFiles, effective_many


@dataclass(frozen=True)
class SecretState:
    """One password that policy asks of one part of a kit; never what it is.

    `id` None: never filed. `filed`: one is in force, since `filed_at`. `matched` None: not checked since then,
    else the result at `checked_at`. `due`: why it must be renewed, "" when it need not. `tries_left`: blind checks left
    today, None while nothing is in force. `on_phone`: the agent may be asked to check it on the phone itself.
    `holder_files`: who has the phone may file it himself.
    """

    id: uuid.UUID | None
    of: str
    subject_id: uuid.UUID
    subject_name: str
    kind: str
    label: str
    filed: bool
    filed_at: dt.datetime | None
    checked_at: dt.datetime | None
    matched: bool | None
    due: str
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
    bodies = effective_many(session, policies, "escrow", {row.centre_id for _, row in parts})
    secrets = {
        (secret.subject_id, secret.kind): secret
        for of in asked
        for secret in store.secrets_of(session, of, [row.id for found_of, row in parts if found_of == of])
    }
    tries = store.tries_of(session, [secret.id for secret in secrets.values()], day_of(now))
    return [
        _state(of, row, kind, secrets.get((row.id, kind.name)), bodies[row.centre_id].body, tries)
        for of, row in parts
        for kind in kinds_of(bodies[row.centre_id].body).values()
        if kind.of == of
    ]


def _state(
    of: str, row: Any, kind: Kind, secret: Secret | None, policy: Any, tries: dict[uuid.UUID, int]
) -> SecretState:
    filed = secret is not None and secret.in_force is not None
    left = (
        max(0, policy["checks_per_day"] - tries.get(secret.id, 0)) if secret is not None and filed else None
    )
    return SecretState(
        id=secret.id if secret is not None else None,
        of=of,
        subject_id=row.id,
        subject_name=store.name_of(of, row),
        kind=kind.name,
        label=kind.label,
        filed=filed,
        filed_at=secret.since if secret is not None and filed else None,
        checked_at=secret.checked_at if secret is not None else None,
        matched=secret.matched if secret is not None else None,
        due=CAUSES[secret.renew_cause] if secret is not None and secret.renew_cause else "",
        tries_left=left,
        on_phone=filed and kind.name == SCREEN_LOCK,
        holder_files=kind.holder_files,
    )


def mark_handed(
    session: Session, secret_ids: Sequence[uuid.UUID], now: dt.datetime, *, due_at: dt.datetime
) -> None:
    """The kit went to somebody else, and who had it knows its passwords: each is to be renewed by `due_at`.

    Those of which none is in force are passed over.
    """
    for secret_id in sorted(secret_ids):
        secret = store.lock(session, secret_id)
        if secret.in_force is not None:
            mark_due(session, secret, "handed", due_at, now)
