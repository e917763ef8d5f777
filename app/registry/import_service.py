"""Put a file up (dry run), then apply it: all or nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.kernel.tenancy import Principal
from app.registry.catalogue import RESOURCES
from app.registry.checks import clash_of
from app.registry.importing import Importer, Outcome, problem_fields
from app.registry.model import ImportFile
from app.registry.resource import Resource
from app.registry.service import may_write
from app.registry.sheet_read import Sheet, read_sheet

KEPT_FOR = dt.timedelta(hours=24)


def read_upload(file_name: str, data: bytes) -> tuple[str, Sheet]:
    """A safe file name and the sheet; before any transaction, for a large file takes seconds to read."""
    name = PurePath(file_name.replace("\\", "/")).name
    name = "".join(c for c in name if c.isprintable())[-200:] or "upload"
    return name, read_sheet(name, data)


def put_up(
    session: Session,
    principal: Principal,
    resource: Resource,
    file_name: str,
    sheet: Sheet,
    data: bytes,
    now: dt.datetime,
    *,
    importer: type[Importer] = Importer,
) -> ImportFile:
    """Try the import, undo it, keep the file and what it would do. Raise `Invalid` for an unusable header.

    `importer`: that of a room which has sheets of its own, by the same reading and the same dry run.
    """
    _allow(principal, resource)
    savepoint = session.begin_nested()
    try:
        outcome = importer(session, principal, resource, now).run(sheet)
    finally:
        savepoint.rollback()
    row = ImportFile(
        resource=resource.name,
        file_name=file_name,
        sha256=hashlib.sha256(data).hexdigest(),
        data=None if outcome.problem_count else data,
        created_by=principal.user,
        created_at=now,
        outcome=asdict(outcome),
    )
    session.add(row)
    session.flush()
    return row


def find_import(
    session: Session,
    principal: Principal,
    import_id: uuid.UUID,
    *,
    of: Collection[str] = RESOURCES,
    lock: bool = False,
) -> ImportFile:
    """Only who put a file up sees it, among those of these resources. Raise `NotFound` otherwise."""
    query = select(ImportFile).where(
        ImportFile.id == import_id, ImportFile.created_by == principal.user, ImportFile.resource.in_(list(of))
    )
    row: ImportFile | None = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound("没有这次导入 / no such import")
    return row


def kept_sheet(
    session: Session, principal: Principal, import_id: uuid.UUID, *, of: Collection[str] = RESOURCES
) -> Sheet | None:
    """The sheet of a file that was put up, None when it is kept no more; before any transaction, as `read_upload`."""
    row = find_import(session, principal, import_id, of=of)
    return None if row.data is None else read_sheet(row.file_name, row.data)


def apply(
    session: Session,
    principal: Principal,
    import_id: uuid.UUID,
    sheet: Sheet | None,
    now: dt.datetime,
    *,
    of: Mapping[str, Resource] = RESOURCES,
    importer: type[Importer] = Importer,
) -> ImportFile:
    """Import `kept_sheet` for good.

    Raise `Conflict` when it was done before, has errors, or is too old; `Invalid` naming the rows that became bad since
    the dry run. Nothing is written then.
    """
    row = find_import(session, principal, import_id, of=of, lock=True)
    resource = of[row.resource]
    _allow(principal, resource)
    if row.applied_at is not None:
        raise Conflict("这份文件已经导入 / imported already", code="already_applied")
    if row.outcome["problem_count"]:
        raise Conflict(
            "文件有错误，请改正后重新上传 / it has errors: mend and upload again", code="has_errors"
        )
    if row.data is None or sheet is None:
        raise Conflict("超过 24 小时，请重新上传 / too old: upload it again", code="expired")
    try:
        outcome = importer(session, principal, resource, now).run(sheet)
        session.flush()
    except IntegrityError as exc:
        raise clash_of(resource, exc) from exc
    if outcome.problem_count:
        raise Invalid(
            "试运行之后数据有变，未导入任何内容 / nothing imported: the data changed since the dry run",
            code="import_refused",
            fields=problem_fields(outcome),
        )
    row.applied_at, row.data, row.outcome = now, None, asdict(outcome)
    session.flush()
    _note(session, principal, row, outcome, now)
    return row


def forget_uploads(session: Session, now: dt.datetime) -> int:
    """Drop the bytes of files that nobody confirmed: they hold personal data."""
    old = (ImportFile.created_at < now - KEPT_FOR) & ImportFile.data.is_not(None)
    done: Any = session.execute(update(ImportFile).where(old).values(data=None))
    return int(done.rowcount)


def _allow(principal: Principal, resource: Resource) -> None:
    may_write(principal, resource)
    if not principal.has_any(*resource.writers):
        raise Forbidden("您的角色无权导入 / your role may not import these")


def _note(
    session: Session, principal: Principal, row: ImportFile, outcome: Outcome, now: dt.datetime
) -> None:
    record(
        session,
        AuditEvent(
            at=now,
            actor=principal.user,
            action="registry.import",
            object=f"import_file:{row.id}",
            details={
                "resource": row.resource,
                "sha256": row.sha256,
                "created": outcome.created,
                "changed": outcome.changed,
            },
        ),
    )
