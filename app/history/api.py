"""Histories over the JSON API."""

from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.history.pages import read_history
from app.history.rules import Wanted
from app.history.schemas import HistoryQuerySchema, HistorySchema
from app.http.access import STAFF, access
from app.http.api import API_PREFIX, Blueprint

history_api = Blueprint(
    "history_api", __name__, url_prefix=API_PREFIX, description="履历 / The whole life of one thing or person"
)


@history_api.route("/history/<kind>/<uuid:subject_id>")
class OneHistory(MethodView):
    @access(*STAFF)
    @history_api.arguments(HistoryQuerySchema, location="query")
    @history_api.response(200, HistorySchema)
    def get(self, query: dict[str, Any], kind: str, subject_id: uuid.UUID) -> dict[str, Any]:
        """The newest first. Reading a person's is noted, and only for leads, operations, finance and auditors."""
        cursor, limit = query.pop("cursor"), query.pop("limit")
        found = read_history(kind, subject_id, Wanted(**query), cursor=cursor, limit=limit)
        return {
            "kind": kind,
            "id": subject_id,
            "name": found.name,
            "total": found.total,
            "items": found.events,
            "next_cursor": found.next_cursor,
        }
