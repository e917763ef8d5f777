"""Register, change, retire and bring back; the same way for every resource that is not a tie (those: `tie_service`)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.kernel.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, Stale
from app.kernel.tenancy import SYSTEM, Principal
from app.registry import holds, store
from app.registry.catalogue import HANDSETS, RESOURCES
from app.registry.checks import Draft, check, clash_of, derive, raise_for
from app.registry.handsets import HandsetRef, handsets_by_serial
from app.registry.model import Handset
from app.registry.references import References
from app.registry.resource import Resource


def get(
    session: Session, principal: Principal, resource: Resource, row_id: uuid.UUID, *, lock: str = ""
) -> Any:
    """Raise `NotFound` for what does not exist or lies outside the caller's centres."""
    row = store.find(session, resource, principal, row_id, lock=lock)
    if row is None:
        raise NotFound(f"没有这条{resource.label}记录 / no such record")
    return row


def create(
    session: Session, principal: Principal, resource: Resource, values: Mapping[str, Any], now: dt.datetime
) -> Any:
    """A new row from checked field values. Raise `Invalid`, or `Conflict` which names the fields that are taken."""
    may_write(principal, resource)
    draft = Draft({**_empty(resource), **values})
    check(References(session, principal), resource, [draft])
    raise_for(draft.problems)
    try:
        (row_id,) = store.insert_rows(session, resource, [draft.values], now)
    except IntegrityError as exc:
        raise clash_of(resource, exc) from exc
    row = get(session, principal, resource, row_id)
    note(session, principal, resource, row, "create", now, details=_plain(values))
    return row


def change(
    session: Session,
    principal: Principal,
    resource: Resource,
    row_id: uuid.UUID,
    version: int,
    values: Mapping[str, Any],
    now: dt.datetime,
) -> Any:
    """Set some fields of the version that the caller saw. Raise `Stale` when it is no longer that one."""
    may_write(principal, resource)
    row = _at_version(session, principal, resource, row_id, version)
    stored = store.load_values(session, resource, [row_id])[row_id]
    changed = {name: value for name, value in values.items() if stored.get(name) != value}
    if not changed:
        return row
    draft = Draft(dict(changed), stored)
    check(References(session, principal), resource, [draft])
    if "centre_id" in changed and store.live_dependants(session, resource, row_id, now):
        draft.refuse("centre_id", "in_use", "先结束其岗位配置再调往别的服务中心 / end its ties first")
    raise_for(draft.problems)
    try:
        if not store.update_row(session, resource, row_id, version, draft.values, now):
            raise Stale("此记录已被他人修改，请刷新 / changed by somebody else meanwhile: read it again")
    except IntegrityError as exc:
        raise clash_of(resource, exc) from exc
    details = {name: [_text(stored.get(name)), _text(value)] for name, value in changed.items()}
    note(session, principal, resource, row, "change", now, details=details)
    session.refresh(row)
    return row


def retire(
    session: Session,
    principal: Principal,
    resource: Resource,
    row_id: uuid.UUID,
    version: int,
    now: dt.datetime,
    *,
    at: dt.datetime | None = None,
    reason: str = "",
) -> Any:
    """Take out of use from `at` (now, or earlier). Raise `Conflict` while live things still hang on it,
    or something holds it.
    """
    may_write(principal, resource)
    row = _at_version(session, principal, resource, row_id, version)
    at = at or now
    if at > now:
        raise Invalid(
            "停用时间不能晚于现在 / cannot be retired in advance",
            fields=[FieldError("at", "future", "not later than now")],
        )
    if row.retired_at is not None:
        raise Conflict("已经停用 / it is retired already", code="already_retired")
    holds.refuse(holds.holds_of_row(session, resource.name, row_id), under=None)
    live = store.live_dependants(session, resource, row_id, now)
    if live:
        labels = "、".join(RESOURCES[name].label for name in live)
        raise Conflict(f"仍有有效的{labels}，请先处理 / still in use by: {', '.join(live)}", code="in_use")
    return _set_retired(session, principal, resource, row, at, now, "retire", reason)


def reinstate(
    session: Session,
    principal: Principal,
    resource: Resource,
    row_id: uuid.UUID,
    version: int,
    now: dt.datetime,
    *,
    reason: str = "",
) -> Any:
    """Undo a retirement."""
    may_write(principal, resource)
    row = _at_version(session, principal, resource, row_id, version)
    if row.retired_at is None:
        raise Conflict("并未停用 / it is not retired", code="not_retired")
    return _set_retired(session, principal, resource, row, None, now, "reinstate", reason)


@dataclass(frozen=True)
class AdoptInput:
    """What `agent adopt` proposes and a person confirmed; raw texts, checked here."""

    centre_id: uuid.UUID
    asset_tag: str
    serial: str
    brand: str
    model: str
    imeis: tuple[str, ...] = ()
    way_back: str | None = None


def adopt_handset(
    session: Session, principal: Principal, proposed: AdoptInput, now: dt.datetime
) -> tuple[Handset, bool]:
    """Register the phone in the hand; (phone, False) when it stands there with the same data already.

    Raise `Invalid` for malformed values, `Conflict` naming the fields when the serial is registered with other data.
    """
    values = _adopted_values(proposed)
    known: HandsetRef | None = handsets_by_serial(session, [values["serial"]]).get(values["serial"])
    if known is None:
        row: Handset = create(session, principal, HANDSETS, values, now)
        return row, True
    if not principal.sees(known.centre_id):
        raise Conflict(
            "该序列号已登记 / this serial is registered",
            code="taken",
            fields=[FieldError("serial", "taken", "registered elsewhere")],
        )
    row = get(session, principal, HANDSETS, known.id)
    other = [name for name, value in values.items() if value is not None and getattr(row, name) != value]
    if other or row.retired_at is not None:
        names = other or ["serial"]
        raise Conflict(
            "该手机已登记，但资料不同 / registered already, with other data",
            code="differs",
            fields=[FieldError(name, "differs", f"registered: {getattr(row, name)}") for name in names],
        )
    return row, False


def _adopted_values(proposed: AdoptInput) -> dict[str, Any]:
    imeis = [*proposed.imeis[:2], None, None][:2]
    raw = {
        "asset_tag": proposed.asset_tag,
        "serial": proposed.serial,
        "brand": proposed.brand,
        "model": proposed.model,
        "imei1": imeis[0],
        "imei2": imeis[1],
        "way_back": proposed.way_back,
    }
    values: dict[str, Any] = {"centre_id": proposed.centre_id}
    problems = []
    for name, text in raw.items():
        try:
            values[name] = None if text is None else HANDSETS.by_name[name].kind.parse(text)
        except ValueError as exc:
            problems.append(FieldError(name, "invalid", str(exc)))
    if len(proposed.imeis) > 2:
        problems.append(FieldError("imei", "invalid", "最多两个 / at most two"))
    raise_for(problems)
    return values


def may_write(principal: Principal, resource: Resource) -> None:
    """The organisation itself is changed only by those who answer for the whole company. Raise `Forbidden`."""
    if not resource.has_centre and principal.centres is not None:
        raise Forbidden("只有公司级用户可以修改组织结构 / only company-wide users change the organisation")


def note(
    session: Session,
    principal: Principal,
    resource: Resource,
    row: Any,
    verb: str,
    now: dt.datetime,
    *,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    record(
        session,
        AuditEvent(
            at=now,
            actor=principal.user,
            action=f"registry.{verb}",
            object=f"{resource.subject}:{row.id}",
            centre_id=getattr(row, "centre_id", None),
            reason=reason,
            details=dict(details or {}),
        ),
    )


def _at_version(
    session: Session, principal: Principal, resource: Resource, row_id: uuid.UUID, version: int
) -> Any:
    row = get(session, principal, resource, row_id, lock="update")
    if row.version != version:
        raise Stale("此记录已被他人修改，请刷新 / changed by somebody else meanwhile: read it again")
    return row


def _set_retired(
    session: Session,
    principal: Principal,
    resource: Resource,
    row: Any,
    at: dt.datetime | None,
    now: dt.datetime,
    verb: str,
    reason: str,
) -> Any:
    store.update_row(session, resource, row.id, row.version, {"retired_at": at}, now)
    session.refresh(row)
    note(session, principal, resource, row, verb, now, reason=reason)
    return row


def _empty(resource: Resource) -> dict[str, Any]:
    """Every field, so that all rows of a bulk insert name the same columns."""
    return {f.name: {} if f.kind.form == "map" else None for f in resource.fields}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _text(value) for name, value in values.items() if value not in (None, {})}


def _text(value: Any) -> Any:
    return value if isinstance(value, str | int | bool | dict | None) else str(value)


def known_id(session: Session, resource: Resource, values: Mapping[str, Any]) -> uuid.UUID | None:
    """The id of the row that these values name by the resource's key, of whatever centre."""
    draft = Draft(dict(values))
    derive(References(session, SYSTEM), resource, draft)
    key = tuple(draft.values.get(name) for name in resource.key)
    return store.owners(session, resource, resource.key, [key]).get(key)
