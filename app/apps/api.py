from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.apps.changes import ChangeView, list_carriers, list_phone_changes, require_package
from app.apps.fleet import FleetApp, Wanted, fleet_apps, page_of, with_versions
from app.apps.schemas import (
    AppsArgs,
    CarriersArgs,
    CarriersSchema,
    ChangesArgs,
    ChangeSchema,
    FleetAppSchema,
)
from app.http.access import STAFF, access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.kernel.db import db
from app.kernel.paging import DEFAULT_LIMIT, Page
from app.labels import labels_for
from app.runtime import runtime

apps_api = Blueprint("apps", __name__, url_prefix=API_PREFIX, description="应用 / Apps on the phones (R03)")


@apps_api.route("/apps")
class Apps(MethodView):
    @access(*STAFF)
    @apps_api.arguments(AppsArgs, location="query")
    @apps_api.response(200, page_schema(FleetAppSchema))
    def get(self, query: dict[str, Any]) -> Page[FleetApp]:
        """Each package on the phones in service: on how many, in which versions, since when."""
        session, who = db.session(), current_principal()
        cursor, limit = query.pop("cursor"), query.pop("limit")
        wanted = Wanted(**query)
        fleet = fleet_apps(session, who, runtime().policies, wanted)
        page = page_of(fleet.found, wanted, cursor, limit)
        return Page(with_versions(session, who, wanted, page.items), page.next_cursor)


@apps_api.route("/apps/<package>")
class OneApp(MethodView):
    @access(*STAFF)
    @apps_api.arguments(CarriersArgs, location="query")
    @apps_api.response(200, CarriersSchema)
    def get(self, query: dict[str, Any], package: str) -> dict[str, Any]:
        """The phones that carry an app, by asset tag, a page of 50; `gone=true`: those that did."""
        session, who, files = db.session(), current_principal(), runtime().policies
        require_package(session, who, package)
        offset = (query.pop("page") - 1) * DEFAULT_LIMIT
        rows, total = list_carriers(session, who, files, package, offset=offset, limit=DEFAULT_LIMIT, **query)
        label = labels_for(session, files, query["centre_id"]).get(package)
        return {"package": package, "label": label, "total": total, "items": rows}


@apps_api.route("/handsets/<uuid:handset_id>/changes")
class PhoneChanges(MethodView):
    @access(*STAFF)
    @apps_api.arguments(ChangesArgs, location="query")
    @apps_api.response(200, page_schema(ChangeSchema))
    def get(self, query: dict[str, Any], handset_id: uuid.UUID) -> Page[ChangeView]:
        """What a phone's readings showed to have changed, the newest first."""
        return list_phone_changes(db.session(), current_principal(), runtime().policies, handset_id, **query)
