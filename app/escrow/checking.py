"""The blind check: what was typed matches or not, and nothing is told or kept of either text."""

from __future__ import annotations

import datetime as dt
import uuid
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from app.escrow import store
from app.escrow.model import Secret
from app.escrow.rights import require_filer
from app.escrow.rules import same
from app.escrow.sealing import note, open_escrow, open_version
from app.escrow.vault import Vault
from app.kernel.errors import Conflict
from app.kernel.tenancy import Principal
from app.policy import PolicyFiles, effective

_SHANGHAI = ZoneInfo("Asia/Shanghai")


def take_try(
    session: Session, principal: Principal, secret_id: uuid.UUID, *, vault: Vault, policies: PolicyFiles,
    now: dt.datetime,
) -> bool:  # fmt: skip
    """Count a try, to be committed before anything is looked at; False when the day's are used up.

    While sealed, or with nothing to check, nothing is counted: raise `Unavailable`, `Conflict`.
    """
    secret, centre = store.find(session, principal, secret_id)
    require_filer(session, principal, centre, secret.handset_id, secret.kind, policies=policies, now=now)
    open_escrow(session, vault)
    if secret.in_force is None:
        raise Conflict("还没有使用中的密码可以核对 / nothing is in force yet", code="nothing_in_force")
    limit = effective(session, policies, "escrow", centre).body["checks_per_day"]
    if store.take_try(session, secret.id, day_of(now), limit):
        return True
    note(session, principal.user, secret, "escrow.check", now, outcome="refused", what="too_often")
    return False


def check(
    session: Session,
    principal: Principal,
    secret_id: uuid.UUID,
    typed: str,
    *,
    vault: Vault,
    now: dt.datetime,
) -> bool:
    """Whether it is the secret in force; only after `take_try` was committed. Raise `Tampered`, `Unavailable`."""
    store.find(session, principal, secret_id)
    secret = store.lock(session, secret_id)
    if secret.in_force is None:
        raise Conflict("还没有使用中的密码可以核对 / nothing is in force yet", code="nothing_in_force")
    matched = same(open_version(session, open_escrow(session, vault), secret, secret.in_force), typed)
    secret.checked_at, secret.matched = now, matched
    # Written though it is as before: else the database would be told less of a guess that is like the last one.
    for name in ("checked_at", "matched"):
        flag_modified(secret, name)
    note(session, principal.user, secret, "escrow.check", now, outcome="ok" if matched else "mismatch")
    session.flush()
    return matched


def tries_left(
    session: Session, secret: Secret, policies: PolicyFiles, centre: uuid.UUID, now: dt.datetime
) -> int:
    limit: int = effective(session, policies, "escrow", centre).body["checks_per_day"]
    return max(0, limit - store.tries(session, secret.id, day_of(now)))


def day_begins(now: dt.datetime) -> dt.datetime:
    """When the day began whose tries count."""
    return dt.datetime.combine(day_of(now), dt.time(), _SHANGHAI)


def day_of(now: dt.datetime) -> dt.date:
    """The day whose tries count."""
    return now.astimezone(_SHANGHAI).date()
