"""Tie, end and void: which kit belongs to which post, and who holds the post. Overlaps are refused under a row lock."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.kernel.errors import Conflict, FieldError, Invalid, Stale
from app.kernel.tenancy import Principal
from app.registry import holds, store, tie_store
from app.registry.catalogue import KIT_ASSIGNMENTS, RESOURCES
from app.registry.checks import Draft, check, raise_for
from app.registry.kinds import show_instant
from app.registry.references import References
from app.registry.resource import Resource
from app.registry.service import get, note

_OVERLAP = "与已有记录的时间重叠 / overlaps another record"


def tie(
    session: Session,
    principal: Principal,
    resource: Resource,
    values: Mapping[str, Any],
    now: dt.datetime,
    *,
    under: str | None = None,
) -> Any:
    """A new tie. Raise `Invalid`, or `Conflict` with code `overlap`, `U01` or `held` (unless it is `under` the cause
    of the hold); `errors` names the field at fault.
    """
    draft = Draft({**dict.fromkeys(resource.by_name), **values})
    check_tie(References(session, principal), resource, draft, under=under)
    raise_for(draft.problems)
    return insert_tie(session, principal, resource, draft, now)


def tie_each(
    session: Session,
    principal: Principal,
    resource: Resource,
    values: Mapping[str, Any],
    now: dt.datetime,
    *,
    under: str | None = None,
) -> list[Any]:
    """One tie for each subject that is given, e.g. a phone and its number to a post at once. Raises as `tie` does."""
    given = [name for name in resource.subjects if values.get(name) is not None]
    common = {name: value for name, value in values.items() if name not in resource.subjects}
    if not given and len(resource.subjects) > 1:
        message = "手机、号码、微信账号至少填一个 / at least one of handset, number, account"
        raise Invalid(message, fields=[FieldError(resource.subjects[0], "one_subject", message)])
    parts: list[dict[str, Any]] = [{**common, name: values[name]} for name in given] or [common]
    return [tie(session, principal, resource, part, now, under=under) for part in parts]


def insert_tie(
    session: Session, principal: Principal, resource: Resource, draft: Draft, now: dt.datetime
) -> Any:
    """Write a tie that `check_tie` passed; the locks that it took still hold."""
    (row_id,) = store.insert_rows(session, resource, [draft.values], now)
    row = get(session, principal, resource, row_id)
    details = {name: str(value) for name, value in draft.values.items() if value is not None}
    note(session, principal, resource, row, "tie", now, details=details)
    return row


def check_tie(references: References, resource: Resource, draft: Draft, *, under: str | None = None) -> None:
    """Fill the draft's problems. Locks the subject until the transaction ends: of two writers the second one waits,
    then sees the first one's tie.
    """
    check(references, resource, [draft])
    subjects = [name for name in resource.subjects if draft.values.get(name) is not None]
    if len(subjects) != 1:
        draft.refuse(
            resource.subjects[0],
            "one_subject",
            "手机、号码、微信账号三者填且只填一个 / exactly one of handset, number, account",
        )
    start, end = draft.values.get("valid_from"), draft.values.get("valid_to")
    if start is not None and end is not None and end <= start:
        draft.refuse("valid_to", "span", "结束时间必须晚于开始时间 / must be later than the start")
    if draft.problems:
        return
    _lock(references, resource, draft, subjects[0])
    if draft.problems:
        return
    _refuse_held(references.session, draft, draft.values, subjects[0], under)
    _refuse_overlap(references.session, resource, draft, subjects[0])
    if not draft.problems and resource is KIT_ASSIGNMENTS:
        _refuse_foreign_account(references, draft)


def end_tie(
    session: Session,
    principal: Principal,
    resource: Resource,
    row_id: uuid.UUID,
    version: int,
    now: dt.datetime,
    *,
    at: dt.datetime | None = None,
    reason: str = "",
    under: str | None = None,
) -> Any:
    """End a tie at an instant, now by default. One whose end has passed is history: `Conflict`; so is `held`."""
    at = at or now
    row = _open_at_version(session, principal, resource, row_id, version)
    stored = store.load_values(session, resource, [row_id])[row_id]
    draft = Draft({"valid_to": at}, stored)
    check_end(session, resource, draft, now, under=under)
    if any(p.code == "already_ended" for p in draft.problems):
        raise Conflict("已经结束 / it has ended already", code="already_ended")
    raise_for([FieldError("at", p.code, p.message) for p in draft.problems])
    _write(session, resource, row, {"valid_to": at}, now)
    note(session, principal, resource, row, "end", now, reason=reason, details={"valid_to": str(at)})
    return row


def check_end(
    session: Session, resource: Resource, draft: Draft, now: dt.datetime, *, under: str | None = None
) -> None:
    """Fill the problems of a draft that sets `valid_to` of a stored tie."""
    stored: Mapping[str, Any] = draft.stored or {}
    start, old, at = stored["valid_from"], stored["valid_to"], draft.values["valid_to"]
    if old is not None and old <= now:
        draft.refuse("valid_to", "already_ended", "已经结束，不能再改 / it has ended already")
    elif at <= start:
        message = f"结束时间必须晚于开始时间 {show_instant(start)} / must be later than the start"
        draft.refuse("valid_to", "span", message)
    else:
        name = next(n for n in resource.subjects if stored[n] is not None)
        if tie_store.overlapping(session, resource, name, stored[name], start, at, besides=draft.row_id):
            draft.refuse("valid_to", "overlap", _OVERLAP)
        _refuse_held(session, draft, stored, "valid_to", under)


def void_tie(
    session: Session,
    principal: Principal,
    resource: Resource,
    row_id: uuid.UUID,
    version: int,
    now: dt.datetime,
    *,
    reason: str,
) -> Any:
    """Declare that a tie was entered by mistake and never held. The row and the reason stay."""
    row = _open_at_version(session, principal, resource, row_id, version)
    if not reason.strip():
        raise Invalid(
            "请写明作废原因 / say why", fields=[FieldError("reason", "required", "必填 / required")]
        )
    stored = store.load_values(session, resource, [row_id])[row_id]
    holds.refuse(holds.holds_of_tie(session, stored), under=None)
    _write(session, resource, row, {"voided_at": now}, now)
    note(session, principal, resource, row, "void", now, reason=reason)
    return row


def _lock(references: References, resource: Resource, draft: Draft, subject: str) -> None:
    """Subject first, then its post, in every path, so that two writers never wait for each other."""
    target = resource.by_name[subject].target
    locks = [(subject, target, "update")]
    if subject != "post_id":
        locks.append(("post_id", "posts", "share"))
    for name, kind, lock in locks:
        row = store.find(
            references.session, RESOURCES[kind], references.principal, draft.values[name], lock=lock
        )
        if row is None or getattr(row, "retired_at", None) is not None:
            draft.refuse(name, "retired", "已停用 / it is retired")


def _refuse_held(
    session: Session, draft: Draft, values: Mapping[str, Any], blamed: str, under: str | None
) -> None:
    """A kit and its post stay as they are until what holds them is done (U06)."""
    problem = holds.first_problem(holds.holds_of_tie(session, values), under=under)
    if problem is not None:
        draft.refuse(blamed, problem.code, problem.message)


def _refuse_overlap(session: Session, resource: Resource, draft: Draft, subject: str) -> None:
    other = tie_store.overlapping(
        session,
        resource,
        subject,
        draft.values[subject],
        draft.values["valid_from"],
        draft.values.get("valid_to"),
        besides=draft.row_id,
    )
    if other is not None:
        until = show_instant(other.valid_to) if other.valid_to else "至今"
        message = f"{_OVERLAP}: {show_instant(other.valid_from)} → {until}"
        draft.refuse(subject, "overlap", message)


def _refuse_foreign_account(references: References, draft: Draft) -> None:
    """U01: the account is registered with the number of the same post. An account whose number is not known passes."""
    post, start = draft.values["post_id"], draft.values["valid_from"]
    end = draft.values.get("valid_to")
    numbers = tie_store.numbers_at(references.session, post, start, end)
    account_id, number_id = draft.values.get("wechat_account_id"), draft.values.get("number_id")
    if account_id is not None:
        account = references.get("wechat-accounts", account_id)
        wanted = account.number_id if account else None
        if wanted is not None and numbers and wanted not in numbers:
            draft.refuse(
                "wechat_account_id",
                "U01",
                "微信账号须用本岗位号码注册 / registered with another number (U01)",
            )
    if number_id is not None:
        registered = tie_store.account_numbers_at(references.session, post, start, end)
        if registered - numbers - {number_id}:
            draft.refuse(
                "number_id",
                "U01",
                "本岗位微信账号用另一号码注册 / the post's account has another number (U01)",
            )


def _open_at_version(
    session: Session, principal: Principal, resource: Resource, row_id: uuid.UUID, version: int
) -> Any:
    """The tie, its subject locked before it, as `check_tie` does."""
    seen = get(session, principal, resource, row_id)
    name = next(n for n in resource.subjects if getattr(seen, n) is not None)
    store.lock_rows(session, RESOURCES[resource.by_name[name].target], [getattr(seen, name)])
    row = get(session, principal, resource, row_id, lock="update")
    if row.version != version:
        raise Stale("此记录已被他人修改，请刷新 / changed by somebody else meanwhile: read it again")
    if row.voided_at is not None:
        raise Conflict("已作废 / it is void", code="voided")
    return row


def _write(session: Session, resource: Resource, row: Any, values: dict[str, Any], now: dt.datetime) -> None:
    store.update_row(session, resource, row.id, row.version, values, now)
    session.refresh(row)
