"""Filing and renewing: a new version waits beside the old one until it is in force, and is never shown again."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.escrow import store
from app.escrow.checking import day_begins
from app.escrow.due import clear_due
from app.escrow.lock_orders import refuse_while_setting
from app.escrow.model import Secret
from app.escrow.rights import FILERS, require_filer
from app.escrow.rules import Kind, fault, generate, kinds_of, normal, same
from app.escrow.sealing import FILED, IN_FORCE, mark_of, note, open_escrow, open_version, sealed_version
from app.escrow.states import Version, VersionEvent
from app.escrow.vault import Vault
from app.kernel.errors import Conflict, FieldError, Invalid
from app.kernel.tenancy import Principal
from app.policy import PolicyFiles, effective


@dataclass(frozen=True)
class Filed:
    """`text` None: a good one is drawn. `in_force`: it is set already; else it waits until that is confirmed."""

    of: str
    subject_id: uuid.UUID
    kind: str
    text: str | None
    in_force: bool


class SameAsInForce(Invalid):
    """What was to be filed is what is in force: as much is told as by a blind check, so it is noted like one."""

    def __init__(self, secret: Secret) -> None:
        words = "和正在使用的密码相同；没有更换就不用备案"
        super().__init__(words, fields=[FieldError("text", "invalid", words)])
        self.secret_id = secret.id


def file_secret(
    session: Session,
    principal: Principal,
    filed: Filed,
    *,
    vault: Vault,
    policies: PolicyFiles,
    now: dt.datetime,
) -> tuple[Secret, str]:
    """The secret and its text, which only a drawn one's filer is shown, once.

    A version that still waits is dropped for the new one. Raise `Invalid` for a bad text, `SameAsInForce`, `Conflict`
    (`filed_too_often`), `NotFound`, `Forbidden`, `Unavailable` while sealed. The edge calls it `with
    telling_of_damage()`, which writes down what a refusal has told.
    """
    subject = store.find_subject(session, principal, filed.of, filed.subject_id)
    phone = filed.subject_id if filed.of == "handset" else None
    require_filer(session, principal, subject.centre_id, phone, filed.kind, policies=policies, now=now)
    policy = effective(session, policies, "escrow", subject.centre_id).body
    kind = kinds_of(policy).get(filed.kind)
    if kind is None or kind.of != filed.of:
        raise _bad("kind", "没有这种密码")
    if filed.text is None and filed.in_force:
        raise _bad("text", "系统生成的密码要先设置好才能生效")
    opened = open_escrow(session, vault)
    text = generate(kind, policy["refused"]) if filed.text is None else normal(filed.text)
    if problem := fault(text, kind, policy["refused"], _about(subject)):
        raise _bad("text", problem)
    secret = _secret(session, filed, subject.centre_id)
    refuse_while_setting(session, secret, principal.user, now)
    if secret.in_force is not None:
        _no_guess(session, secret, policy["filings_per_day"], now)
        if same(open_version(session, opened, secret, secret.in_force), text):
            raise SameAsInForce(secret)
    if secret.pending is not None:
        _end(session, secret, secret.pending, VersionEvent.DROP, now)
    number = secret.versions + 1
    row = sealed_version(opened, secret, number, text, state=Version.PENDING, by=principal.user, now=now)
    session.add(row)
    secret.versions, secret.pending = number, number
    session.flush()
    store.add_sight(session, secret, number, principal.user, now)
    note(session, principal.user, secret, FILED, now, reason=mark_of(row), drawn=filed.text is None)
    if filed.in_force:
        _into_force(session, principal.user, secret, now)
    return secret, text


def _no_guess(session: Session, secret: Secret, limit: int, now: dt.datetime) -> None:
    """A wrong guess leaves a version, filed and noted: so many a day that a PIN is not found by filing."""
    if store.filed_since(session, secret.id, day_begins(now)) >= limit:
        raise Conflict(
            f"这个密码今天已备案 {limit} 次，请明天再备案 / filed too often today", code="filed_too_often"
        )


def confirm(session: Session, principal: Principal, secret_id: uuid.UUID, *, now: dt.datetime) -> Secret:
    """The waiting version has been set: it is in force, the one before it is replaced. Raise `Conflict` without one."""
    secret = _own(session, principal, secret_id, now)
    _into_force(session, principal.user, secret, now)
    return secret


def drop(session: Session, principal: Principal, secret_id: uuid.UUID, *, now: dt.datetime) -> Secret:
    """The waiting version was never set: the one before it stays."""
    secret = _own(session, principal, secret_id, now)
    number = _waiting(secret)
    _end(session, secret, number, VersionEvent.DROP, now)
    secret.pending = None
    note(session, principal.user, secret, "escrow.drop", now, version=number)
    session.flush()
    return secret


def _own(session: Session, principal: Principal, secret_id: uuid.UUID, now: dt.datetime) -> Secret:
    _, centre = store.find(session, principal, secret_id)
    principal.require_role(centre, *FILERS)
    secret = store.lock(session, secret_id)
    refuse_while_setting(session, secret, principal.user, now)
    return secret


def _into_force(session: Session, actor: str, secret: Secret, now: dt.datetime) -> None:
    number = _waiting(secret)
    row = store.version(session, secret.id, number)
    if secret.in_force is not None:
        _end(session, secret, secret.in_force, VersionEvent.REPLACE, now)
    store.move_version(session, row, VersionEvent.CONFIRM, None)
    secret.in_force, secret.pending, secret.since = number, None, now
    secret.checked_at = secret.matched = None
    note(session, actor, secret, IN_FORCE, now, reason=mark_of(row))
    clear_due(session, secret, actor, now)
    session.flush()


def _waiting(secret: Secret) -> int:
    if secret.pending is None:
        raise Conflict("没有等待生效的密码 / no version waits", code="escrow_state")
    return secret.pending


def _end(session: Session, secret: Secret, number: int, event: VersionEvent, now: dt.datetime) -> None:
    store.move_version(session, store.version(session, secret.id, number), event, now)


def _secret(session: Session, filed: Filed, centre_id: uuid.UUID) -> Secret:
    found = store.secret_for(session, filed.of, filed.subject_id, filed.kind)
    if found is None:
        column = store.SUBJECTS[filed.of][1].key
        found = Secret(centre_id=centre_id, kind=filed.kind, versions=0, **{column: filed.subject_id})
        session.add(found)
    found.centre_id = centre_id
    session.flush()
    return found


def _about(subject: object) -> list[str]:
    names = ("asset_tag", "serial", "e164", "iccid", "wechat_id", "imei1", "imei2")
    return [str(value) for name in names if (value := getattr(subject, name, None))]


def kind_of(session: Session, policies: PolicyFiles, centre_id: uuid.UUID, name: str) -> Kind | None:
    """None for a kind that policy no longer has."""
    return kinds_of(effective(session, policies, "escrow", centre_id).body).get(name)


def _bad(field: str, text: str) -> Invalid:
    return Invalid(text, fields=[FieldError(field, "invalid", text)])
