from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.http.access import SIGNED_IN, access
from app.http.api import API_PREFIX, Blueprint, etag, expected_version, page_schema
from app.http.identity import current_principal
from app.kernel.db import db
from app.kernel.paging import Page
from app.notify import inbox as boxes
from app.notify.contacts import KEEPERS, contact_of, own_contact, put_of, put_own
from app.notify.deliveries import RUNNERS, Delivery, deliveries
from app.notify.model import Contact
from app.notify.schemas import (
    ContactInSchema,
    DeliveryQuerySchema,
    DeliverySchema,
    InboxQuerySchema,
    InboxSchema,
    NoticeSchema,
    ReachedSchema,
    ReadAllSchema,
)
from app.runtime import runtime

notify_api = Blueprint("notify", __name__, url_prefix=API_PREFIX, description="通知 / Notices")


@notify_api.route("/my/notices")
class MyNotices(MethodView):
    @access(*SIGNED_IN)
    @notify_api.arguments(InboxQuerySchema, location="query")
    @notify_api.response(200, InboxSchema)
    def get(self, query: dict[str, Any]) -> boxes.Items:
        """The caller's own notices, unread ones first; pages are numbered, because reading moves an item."""
        words = query.pop("q").strip()
        return boxes.inbox(db.session(), current_principal(), words=words, **query)


@notify_api.route("/my/notices/<uuid:notice_id>/read")
class ReadNotice(MethodView):
    @access(*SIGNED_IN)
    @notify_api.response(200, NoticeSchema)
    def post(self, notice_id: uuid.UUID) -> boxes.Item:
        """Mark one as read."""
        now = runtime().clock.now()
        return boxes.set_read(db.session(), current_principal(), notice_id, read=True, now=now)


@notify_api.route("/my/notices/<uuid:notice_id>/unread")
class UnreadNotice(MethodView):
    @access(*SIGNED_IN)
    @notify_api.response(200, NoticeSchema)
    def post(self, notice_id: uuid.UUID) -> boxes.Item:
        """Mark one as unread again."""
        now = runtime().clock.now()
        return boxes.set_read(db.session(), current_principal(), notice_id, read=False, now=now)


@notify_api.route("/my/notices/read")
class ReadNotices(MethodView):
    @access(*SIGNED_IN)
    @notify_api.response(200, ReadAllSchema)
    def post(self) -> dict[str, int]:
        """Mark all as read."""
        return {"read": boxes.read_all(db.session(), current_principal(), runtime().clock.now())}


def _tagged(row: Contact | None) -> tuple[Any, int, dict[str, str]]:
    shown = row if row is not None else {"mail": None, "mobile": None}
    return shown, 200, {"ETag": etag(row.version if row is not None else 0)}


@notify_api.route("/my/contact")
class MyContact(MethodView):
    @access(*SIGNED_IN)
    @notify_api.response(200, ReachedSchema)
    def get(self) -> tuple[Any, int, dict[str, str]]:
        """How the caller is reached outside."""
        return _tagged(own_contact(db.session(), current_principal()))

    @access(*SIGNED_IN, if_match=True)
    @notify_api.arguments(ContactInSchema)
    @notify_api.response(200, ReachedSchema)
    def put(self, body: dict[str, Any]) -> tuple[Any, int, dict[str, str]]:
        """Change it; `"v0"` for the first."""
        now = runtime().clock.now()
        row = put_own(db.session(), current_principal(), **body, expected_version=expected_version(), now=now)
        return _tagged(row)


@notify_api.route("/employees/<uuid:employee_id>/contact")
class EmployeeContact(MethodView):
    @access(*KEEPERS)
    @notify_api.response(200, ReachedSchema)
    def get(self, employee_id: uuid.UUID) -> tuple[Any, int, dict[str, str]]:
        """How an employee is reached outside."""
        return _tagged(contact_of(db.session(), current_principal(), employee_id))

    @access(*KEEPERS, if_match=True)
    @notify_api.arguments(ContactInSchema)
    @notify_api.response(200, ReachedSchema)
    def put(self, body: dict[str, Any], employee_id: uuid.UUID) -> tuple[Any, int, dict[str, str]]:
        """Change it; `"v0"` for the first."""
        now, seen = runtime().clock.now(), expected_version()
        row = put_of(db.session(), current_principal(), employee_id, **body, expected_version=seen, now=now)
        return _tagged(row)


@notify_api.route("/deliveries")
class Deliveries(MethodView):
    @access(*RUNNERS)
    @notify_api.arguments(DeliveryQuerySchema, location="query")
    @notify_api.response(200, page_schema(DeliverySchema))
    def get(self, query: dict[str, Any]) -> Page[Delivery]:
        """What became of mails, messages and robots' counts, the latest first."""
        return deliveries(db.session(), current_principal(), **query)
