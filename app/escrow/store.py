"""Queries of the escrow. Who may see a secret goes by where its part of the kit is now."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, func, or_, select, true, update
from sqlalchemy.orm import Session

from app.audit import AuditRow
from app.escrow import states
from app.escrow.model import EscrowHead, RevealRequest, Secret, SecretSight, SecretTries, SecretVersion
from app.kernel.db import insert_into
from app.kernel.errors import Conflict, NotFound
from app.kernel.moving import change_if
from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal, within
from app.registry import Handset, Number, ServiceCentre, WeChatAccount

SUBJECTS: dict[str, tuple[Any, Any]] = {
    "handset": (Handset, Secret.handset_id),
    "number": (Number, Secret.number_id),
    "wechat": (WeChatAccount, Secret.wechat_account_id),
}
NAMES: dict[str, Any] = {
    "handset": Handset.asset_tag, "number": Number.e164, "wechat": WeChatAccount.nickname,
}  # fmt: skip
_NOW_AT: ColumnElement[uuid.UUID] = func.coalesce(
    Handset.centre_id, Number.centre_id, WeChatAccount.centre_id
)


_RETIRED = func.coalesce(Handset.retired_at, Number.retired_at, WeChatAccount.retired_at)


def head(session: Session) -> EscrowHead | None:
    return session.get(EscrowHead, 1, populate_existing=True)


def put_head(session: Session, root_id: str, generation: int, now: dt.datetime) -> None:
    new = insert_into(session, EscrowHead).values(id=1, root_id=root_id, generation=generation, set_up_at=now)
    session.execute(
        new.on_conflict_do_update(index_elements=["id"], set_={"generation": generation, "root_id": root_id})
    )


def any_record(session: Session) -> bool:
    return session.scalar(select(SecretVersion.id).limit(1)) is not None


def with_centre() -> Any:
    """Secrets with the centre where their part of a kit is now."""
    query: Any = select(Secret, _NOW_AT.label("now_at")).outerjoin(Handset, Handset.id == Secret.handset_id)
    query = query.outerjoin(Number, Number.id == Secret.number_id)
    return query.outerjoin(WeChatAccount, WeChatAccount.id == Secret.wechat_account_id)


def _seen_by(principal: Principal) -> ColumnElement[bool]:
    return true() if principal.centres is None else _NOW_AT.in_(principal.centres)


def find(session: Session, principal: Principal, secret_id: uuid.UUID) -> tuple[Secret, uuid.UUID]:
    """The secret and the centre where it is now. Raise `NotFound`, also for a foreign one."""
    query = with_centre().where(Secret.id == secret_id, _seen_by(principal))
    row = session.execute(query.execution_options(populate_existing=True)).first()
    if row is None:
        raise NotFound("没有这个密码 / no such secret")
    return row[0], row[1]


def find_subject(session: Session, principal: Principal, of: str, subject_id: uuid.UUID) -> Any:
    """The handset, number or account. Raise `NotFound`, also for a foreign centre's and a retired one."""
    model = SUBJECTS[of][0]
    row = session.get(model, subject_id)
    if row is None or not principal.sees(row.centre_id) or row.retired_at is not None:
        raise NotFound("没有这台手机、号码或微信号 / no such part of a kit")
    return row


def of(secret: Secret) -> str:
    """Which sort of part it belongs to: a key of `SUBJECTS`."""
    return next(of for of, (_, column) in SUBJECTS.items() if getattr(secret, column.key) is not None)


def subject_of(session: Session, secret: Secret) -> Any:
    return session.get_one(SUBJECTS[of(secret)][0], secret.subject_id)


def subjects(
    session: Session,
    principal: Principal,
    of: str,
    *,
    centre_id: uuid.UUID | None,
    words: str,
    cursor: str | None,
    limit: int = DEFAULT_LIMIT,
) -> Page[Any]:
    """Parts of kits in use within the caller's centres, by name."""
    model, name = SUBJECTS[of][0], NAMES[of]
    query = select(model).where(model.retired_at.is_(None))
    if principal.centres is not None:
        query = query.where(model.centre_id.in_(principal.centres))
    if centre_id is not None:
        query = query.where(model.centre_id == centre_id)
    if words:
        query = query.where(name.icontains(words, autoescape=True))
    keys = [SortKey("name", name), SortKey("id", model.id)]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def parts(session: Session, principal: Principal, of: str, ids: Sequence[uuid.UUID]) -> list[Any]:
    """Of these parts of kits those in the caller's centres, by name."""
    model, found = SUBJECTS[of][0], list[Any]()
    for start in range(0, len(ids), 500):
        query = select(model).where(
            model.id.in_(ids[start : start + 500]), within(principal, model.centre_id)
        )
        found += session.scalars(query)
    return sorted(found, key=lambda row: (name_of(of, row), row.id))


def name_of(of: str, row: Any) -> str:
    return str(getattr(row, NAMES[of].key))


def secrets_of(session: Session, of: str, subject_ids: Sequence[uuid.UUID]) -> list[Secret]:
    column = SUBJECTS[of][1]
    found: list[Secret] = []
    for start in range(0, len(subject_ids), 500):
        found += session.scalars(select(Secret).where(column.in_(subject_ids[start : start + 500])))
    return found


def secret_for(session: Session, of: str, subject_id: uuid.UUID, kind: str) -> Secret | None:
    query = select(Secret).where(SUBJECTS[of][1] == subject_id, Secret.kind == kind)
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def lock(session: Session, secret_id: uuid.UUID) -> Secret:
    query = select(Secret).where(Secret.id == secret_id).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one()


def version(session: Session, secret_id: uuid.UUID, number: int) -> SecretVersion:
    query = select(SecretVersion).where(SecretVersion.secret_id == secret_id, SecretVersion.version == number)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise Conflict("这个版本的记录不见了 / the record of this version is gone", code="record_missing")
    return found


def versions(session: Session, secret_id: uuid.UUID) -> list[SecretVersion]:
    query = select(SecretVersion).where(SecretVersion.secret_id == secret_id)
    return list(session.scalars(query.order_by(SecretVersion.version.desc()).limit(50)))


def move_version(
    session: Session, row: SecretVersion, event: states.VersionEvent, ended_at: dt.datetime | None
) -> None:
    after = states.advance(states.Version(row.state), event)
    change_if(session, row, ("state",), _faster(), state=after, ended_at=ended_at)


def move_reveal(
    session: Session, row: RevealRequest, event: states.RevealEvent, **changes: Any
) -> RevealRequest:
    after = states.advance(states.Reveal(row.state), event)
    change_if(session, row, ("state",), _faster(), state=after, **changes)
    return row


def _faster() -> Conflict:
    return Conflict("刚刚被别人处理了，请刷新 / somebody was faster", code="escrow_state")


def take_try(session: Session, secret_id: uuid.UUID, day: dt.date, limit: int) -> bool:
    """Count a try; False, and nothing counted, when the day's are used up. The database itself compares."""
    new = insert_into(session, SecretTries).values(secret_id=secret_id, day=day, tries=1)
    counted = new.on_conflict_do_update(
        index_elements=["secret_id", "day"],
        set_={"tries": SecretTries.tries + 1},
        where=SecretTries.tries < limit,
    )
    return session.scalar(counted.returning(SecretTries.tries)) is not None


def tries(session: Session, secret_id: uuid.UUID, day: dt.date) -> int:
    found = session.get(SecretTries, (secret_id, day), populate_existing=True)
    return 0 if found is None else found.tries


def tries_of(session: Session, secret_ids: Sequence[uuid.UUID], day: dt.date) -> dict[uuid.UUID, int]:
    """As `tries`, of many; those without any are absent."""
    found: dict[uuid.UUID, int] = {}
    for start in range(0, len(secret_ids), 500):
        query = select(SecretTries.secret_id, SecretTries.tries).where(
            SecretTries.secret_id.in_(secret_ids[start : start + 500]), SecretTries.day == day
        )
        found.update((row.secret_id, row.tries) for row in session.execute(query))
    return found


def filed_since(session: Session, secret_id: uuid.UUID, since: dt.datetime) -> int:
    """How many texts were filed for it, whatever became of them."""
    query = select(func.count()).where(SecretVersion.secret_id == secret_id, SecretVersion.filed_at >= since)
    return session.scalar(query) or 0


def add_sight(session: Session, row: Secret, number: int, person: str, now: dt.datetime) -> None:
    new = insert_into(session, SecretSight).values(
        secret_id=row.id, version=number, person=person, centre_id=row.centre_id, at=now
    )
    session.execute(new.on_conflict_do_nothing())


def reveal(session: Session, principal: Principal, reveal_id: uuid.UUID) -> RevealRequest:
    """Raise `NotFound`, also for one whose secret is in a foreign centre now."""
    query = select(RevealRequest).where(RevealRequest.id == reveal_id)
    row = session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if row is None:
        raise NotFound("没有这个申请 / no such request")
    find(session, principal, row.secret_id)
    return row


def reveals(session: Session, principal: Principal, limit: int, secret_id: uuid.UUID | None = None) -> Any:
    """(request, secret) of the caller's centres: the open ones first, then the latest."""
    query = with_centre().add_columns(RevealRequest).join(RevealRequest, RevealRequest.secret_id == Secret.id)
    query = query.where(_seen_by(principal))
    if secret_id is not None:
        query = query.where(Secret.id == secret_id)
    is_open = RevealRequest.state.in_(states.OPEN_REVEALS)
    query = query.order_by(is_open.desc(), RevealRequest.requested_at.desc(), RevealRequest.id.desc())
    return [(row[2], row[0]) for row in session.execute(query.limit(limit))]


def reveal_page(
    session: Session,
    principal: Principal,
    *,
    state: Sequence[str],
    secret_id: uuid.UUID | None,
    cursor: str | None,
    limit: int,
) -> Page[RevealRequest]:
    """Requests of the caller's centres, the latest first; `state` empty: in any."""
    seen = with_centre().with_only_columns(Secret.id).where(_seen_by(principal))
    query = select(RevealRequest).where(RevealRequest.secret_id.in_(seen))
    if state:
        query = query.where(RevealRequest.state.in_(state))
    if secret_id is not None:
        query = query.where(RevealRequest.secret_id == secret_id)
    keys = [SortKey("at", RevealRequest.requested_at, descending=True), SortKey("id", RevealRequest.id)]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def overdue_reveals(session: Session, now: dt.datetime, limit: int) -> list[RevealRequest]:
    query = select(RevealRequest).where(
        RevealRequest.state.in_(states.OPEN_REVEALS), RevealRequest.expires_at <= now
    )
    return list(session.scalars(query.order_by(RevealRequest.expires_at).limit(limit)))


def audited(session: Session, secret_id: uuid.UUID, action: str) -> str | None:
    """What the latest event of this kind says of the secret; its reason is hashed and cannot be erased."""
    query = select(AuditRow.reason).where(AuditRow.object == f"secret:{secret_id}", AuditRow.action == action)
    return session.scalar(query.order_by(AuditRow.seq.desc()).limit(1))


def knowers(session: Session) -> list[str]:
    """Everybody who knows a version that is in force."""
    query = select(SecretSight.person).join(Secret, Secret.id == SecretSight.secret_id)
    return list(session.scalars(query.where(Secret.in_force == SecretSight.version).distinct()))


def known_by(session: Session, person: str) -> list[tuple[Secret, uuid.UUID]]:
    """Secrets in force that he knows and whose renewal is not due for that already, with where they are now."""
    query = with_centre().join(SecretSight, SecretSight.secret_id == Secret.id)
    query = query.where(SecretSight.person == person, Secret.in_force == SecretSight.version)
    query = query.where(Secret.renew_cause.is_(None) | Secret.renew_cause.in_(("age", "old")))
    return [(row[0], row[1]) for row in session.execute(query)]


def in_force_since(
    session: Session, kind: str, centre: uuid.UUID, before: dt.datetime, limit: int
) -> list[Secret]:
    """Of a kind and centre, in force since then or before, whose renewal is not due yet; none of a retired part, for
    which nobody can file another.
    """
    query = with_centre().where(Secret.kind == kind, Secret.due_at.is_(None), Secret.since <= before)
    query = query.where(Secret.in_force.is_not(None), centre == _NOW_AT, _RETIRED.is_(None))
    return [row[0] for row in session.execute(query.limit(limit))]


def touched(session: Session, since: dt.datetime) -> dict[uuid.UUID, dt.datetime]:
    """Parts of kits of which a password was checked, or came into force, at or after an instant, and when last."""
    query = select(Secret).where(or_(Secret.checked_at >= since, Secret.since >= since))
    found: dict[uuid.UUID, dt.datetime] = {}
    for row in session.scalars(query):
        last = max(at for at in (row.checked_at, row.since, found.get(row.subject_id)) if at is not None)
        found[row.subject_id] = last
    return found


def centres(session: Session) -> list[uuid.UUID]:
    return list(session.scalars(select(ServiceCentre.id).where(ServiceCentre.retired_at.is_(None))))


def figures(session: Session, principal: Principal) -> dict[str, int]:
    """How many are filed and in force, wait to come into force, and are due."""
    base = with_centre().where(_seen_by(principal)).subquery()
    columns = base.c
    query = select(
        func.count(columns.in_force), func.count(columns.pending), func.count(columns.due_at)
    ).select_from(base)
    filed, pending, due = session.execute(query).one()
    return {"filed": filed, "pending": pending, "due": due}


def versions_under(
    session: Session, kek_id: int, after: uuid.UUID | None, limit: int
) -> list[tuple[SecretVersion, Secret]]:
    """Records under a KEK with their secrets, in the order of their ids."""
    query = select(SecretVersion, Secret).join(Secret, Secret.id == SecretVersion.secret_id)
    query = query.where(SecretVersion.kek_id == kek_id)
    if after is not None:
        query = query.where(SecretVersion.id > after)
    rows = session.execute(
        query.order_by(SecretVersion.id).limit(limit).execution_options(populate_existing=True)
    )
    return [(row[0], row[1]) for row in rows]


def all_versions(session: Session, after: uuid.UUID | None, limit: int) -> list[tuple[SecretVersion, Secret]]:
    query = select(SecretVersion, Secret).join(Secret, Secret.id == SecretVersion.secret_id)
    if after is not None:
        query = query.where(SecretVersion.id > after)
    return [(row[0], row[1]) for row in session.execute(query.order_by(SecretVersion.id).limit(limit))]


def count_under(session: Session, kek_id: int) -> int:
    query = select(func.count()).select_from(SecretVersion).where(SecretVersion.kek_id == kek_id)
    return session.scalar(query) or 0


def exchange(session: Session, row_id: uuid.UUID, old: bytes, new: bytes, kek_id: int) -> bool:
    """Compare and set: False when the record is no longer the one that was read."""
    done = update(SecretVersion).where(SecretVersion.id == row_id, SecretVersion.record == old)
    done = done.values(record=new, kek_id=kek_id).execution_options(synchronize_session=False)
    return bool(cast(Any, session.execute(done)).rowcount == 1)
