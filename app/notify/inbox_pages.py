"""Everybody's inbox, and how he is reached outside."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, render_template, request

from app.http.access import SIGNED_IN, access
from app.http.identity import current_principal
from app.http.pages import local_path, page_now, see_other
from app.http.problems import STATUS
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.texts import one_line
from app.notify import inbox as boxes
from app.notify.contacts import own_contact, put_own

inbox_pages = Blueprint("inbox", __name__)


@inbox_pages.get("/inbox")
@access(*SIGNED_IN)
def inbox() -> str:
    args = request.args
    found = boxes.inbox(
        db.session(), current_principal(), unread=args.get("show") == "unread",
        words=one_line(args.get("q", ""), 100), page=args.get("page", 1, type=int),
    )  # fmt: skip
    return render_template("notify/inbox.html", box=found, only_unread=args.get("show") == "unread")


@inbox_pages.get("/inbox/count")
@access(*SIGNED_IN)
def count() -> str:
    """The header's link with its number, asked for by every page."""
    return render_template("notify/_count.html", unread=boxes.unread_count(db.session(), current_principal()))


@inbox_pages.post("/inbox/<uuid:copy_id>/<any(read, unread):state>")
@access(*SIGNED_IN)
def mark(copy_id: uuid.UUID, state: str) -> Response:
    """Mark one; with `open` it goes on to what the notice is about."""
    item = boxes.set_read(db.session(), current_principal(), copy_id, read=state == "read", now=page_now())
    if request.form.get("open") and item.link:
        return see_other(local_path(item.link))
    return _back()


@inbox_pages.post("/inbox/read")
@access(*SIGNED_IN)
def mark_all() -> Response:
    number = boxes.read_all(db.session(), current_principal(), page_now())
    flash(f"{number} 条通知已标为已读。", "success")
    return _back()


@inbox_pages.get("/my/contact")
@access(*SIGNED_IN)
def contact() -> str:
    return _contact_form()


@inbox_pages.post("/my/contact")
@access(*SIGNED_IN)
def change_contact() -> Response:
    form = request.form
    try:
        put_own(
            db.session(), current_principal(), mail=form.get("mail", ""), mobile=form.get("mobile", ""),
            expected_version=form.get("_version", 0, type=int), now=page_now(),
        )  # fmt: skip
    except DomainError as exc:
        db.session().rollback()
        status = next(code for kind, code in STATUS.items() if isinstance(exc, kind))
        return Response(_contact_form(exc), status=status, content_type="text/html; charset=utf-8")
    flash("联系方式已保存。", "success")
    return see_other("/my/contact")


def _contact_form(refusal: DomainError | None = None) -> str:
    row = own_contact(db.session(), current_principal())
    texts = (
        request.form if refusal else {"mail": (row and row.mail) or "", "mobile": (row and row.mobile) or ""}
    )
    return render_template(
        "notify/contact.html", texts=texts, version=row.version if row else 0, refusal=refusal, action="/my/contact",
        whose="", back="/inbox",
    )  # fmt: skip


def _back() -> Response:
    back = local_path(request.form.get("back"))
    return see_other(back if back.startswith("/inbox") else "/inbox")
