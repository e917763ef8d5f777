from __future__ import annotations

from typing import Any

from flask.views import MethodView

from app.http.access import STAFF, access
from app.http.api import API_PREFIX, Blueprint
from app.http.identity import current_principal
from app.kernel.db import db
from app.observers.schemas import ObserverQuerySchema, ObserversSchema, OutageQuerySchema, OutagesSchema
from app.observers.service import outages, server_up_since, trusted
from app.runtime import runtime

observers_api = Blueprint("observers", __name__, url_prefix=API_PREFIX, description="观测点 / Observers")


@observers_api.route("/observers")
class Observers(MethodView):
    @access(*STAFF)
    @observers_api.arguments(ObserverQuerySchema, location="query")
    @observers_api.response(200, ObserversSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """Whether a phone of a centre may be suspected now; false for a centre that the caller does not see."""
        session, now = db.session(), runtime().clock.now()
        seen = current_principal().sees(query["centre_id"])
        return {
            "trusted": seen and trusted(session, query["centre_id"], now),
            "server_up_since": server_up_since(session, now),
        }


@observers_api.route("/observers/outages")
class Outages(MethodView):
    @access(*STAFF)
    @observers_api.arguments(OutageQuerySchema, location="query")
    @observers_api.response(200, OutagesSchema)
    def get(self, query: dict[str, Any]) -> dict[str, Any]:
        """When gateways, the site or the server were not up, by beginning; nothing for a foreign centre."""
        end = min(query["end"], runtime().clock.now())
        found = outages(db.session(), current_principal(), query["centre_id"], query["start"], end)
        return {"items": found}
