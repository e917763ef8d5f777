from __future__ import annotations

from typing import Any

from flask.views import MethodView

from app.audit import AuditRow, Search, find_events
from app.http.access import access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.kernel.db import db
from app.kernel.paging import Page
from app.trail.schemas import EventQuerySchema, EventSchema

trail_api = Blueprint(
    "audit", __name__, url_prefix=API_PREFIX, description="审计记录 / What was done, and by whom"
)


@trail_api.route("/audit-events")
class AuditEvents(MethodView):
    @access("auditor", "lead")
    @trail_api.arguments(EventQuerySchema, location="query")
    @trail_api.response(200, page_schema(EventSchema))
    def get(self, query: dict[str, Any]) -> Page[AuditRow]:
        """Events, the newest first; reading them is itself one."""
        cursor, limit = query.pop("cursor"), query.pop("limit")
        actor, action = query.pop("actor"), query.pop("action")
        search = Search(
            actors=(actor,) if actor else None,
            actions=(action,) if action else (),
            text=query.pop("q").strip(),
            **query,
        )
        page = find_events(db.session(), current_principal(), search, cursor=cursor, limit=limit)
        note_reading("audit", filters={**query, "actor": actor, "action": action}, count=len(page.items))
        return page
