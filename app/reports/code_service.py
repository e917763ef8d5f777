"""Codes: one a post, made by hand, renewed when a picture was torn off or abused."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.kernel.errors import Conflict, NotFound
from app.kernel.ids import new_id
from app.kernel.tenancy import Principal
from app.registry import Post
from app.reports import code_store
from app.reports.code_store import PostCode
from app.reports.rules import new_code

MAKERS = ("operations", "lead", "it")


def report_code(session: Session, post_id: uuid.UUID) -> str | None:
    """The code of a post that holds now; None before one was made. Internal: the caller has checked his principal."""
    row = code_store.of_post(session, post_id)
    return row.code if row else None


def post_codes(session: Session, principal: Principal, centre_id: uuid.UUID | None = None) -> list[PostCode]:
    """The posts in use with their codes."""
    return list(code_store.posts(session, principal, centre_id))


def make_missing(session: Session, principal: Principal, centre_id: uuid.UUID, now: dt.datetime) -> int:
    """Give every post of a centre that has none a code; how many were made. Raise `Forbidden`."""
    principal.require_role(centre_id, *MAKERS)
    wanted = [p for p in code_store.posts(session, principal, centre_id) if p.code_id is None]
    made = [p for p in wanted if _make(session, principal, p.post_id, centre_id, now)]
    if made:
        details = {"posts": [str(p.post_id) for p in made][:200], "number": len(made)}
        _note(session, principal, "report_code.make", f"centre:{centre_id}", centre_id, now, details=details)
    return len(made)


def renew(
    session: Session, principal: Principal, post_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> str:
    """A new code for a post; the printed one leads nowhere from now on. Raise `NotFound`, `Forbidden`, `Conflict`."""
    post = find_post(session, principal, post_id)
    principal.require_role(post.centre_id, *MAKERS)
    row = code_store.of_post(session, post.id)
    if row is not None and not code_store.retire(session, row, now):
        raise Conflict("刚有人换过这个码 / it was renewed in this moment", code="code_renewed")
    if not _make(session, principal, post.id, post.centre_id, now):
        raise Conflict("刚有人换过这个码 / it was renewed in this moment", code="code_renewed")
    _note(session, principal, "report_code.renew", f"post:{post.id}", post.centre_id, now, reason=reason)
    return report_code(session, post.id) or ""


def find_post(session: Session, principal: Principal, post_id: uuid.UUID) -> Post:
    """Raise `NotFound`, also for a foreign centre's."""
    post = code_store.find_post(session, principal, post_id)
    if post is None:
        raise NotFound("没有这个岗位 / no such post")
    return post


def _make(
    session: Session, principal: Principal, post_id: uuid.UUID, centre_id: uuid.UUID, now: dt.datetime
) -> bool:
    values = {
        "id": new_id(), "centre_id": centre_id, "post_id": post_id, "code": new_code(), "created_at": now,
        "created_by": principal.user,
    }  # fmt: skip
    return code_store.insert_code(session, values)


def _note(
    session: Session, principal: Principal, action: str, of: str, centre_id: uuid.UUID, now: dt.datetime,
    *, reason: str = "", details: dict[str, object] | None = None,
) -> None:  # fmt: skip
    # Never the code itself: the trail is read by more people than the sheet.
    event = AuditEvent(
        at=now, actor=principal.user, action=action, object=of, centre_id=centre_id, reason=reason,
        details=details or {},
    )  # fmt: skip
    record(session, event)
