from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.http.access import STAFF, access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.kernel.db import db
from app.kernel.paging import Page
from app.probes.model import Probe
from app.probes.schemas import OneProbeSchema, ProbeQuerySchema, ProbeSchema, StartedSchema
from app.probes.service import STARTERS, get_probe, start_probe, tries_of
from app.probes.views import list_probes
from app.runtime import runtime

probes_api = Blueprint("probes", __name__, url_prefix=API_PREFIX, description="联系测试 / Tests of reach")


@probes_api.route("/probes")
class Probes(MethodView):
    @access(*STAFF)
    @probes_api.arguments(ProbeQuerySchema, location="query")
    @probes_api.response(200, page_schema(ProbeSchema))
    def get(self, query: dict[str, Any]) -> Page[Probe]:
        """Tests that were sent or have ended, the latest first; never one that is only planned."""
        return list_probes(db.session(), current_principal(), **query)


@probes_api.route("/probes/<uuid:probe_id>")
class OneProbe(MethodView):
    @access(*STAFF)
    @probes_api.response(200, OneProbeSchema)
    def get(self, probe_id: uuid.UUID) -> dict[str, Any]:
        """One test with its failed tries, each with whether it counts by what is known now."""
        session = db.session()
        probe = get_probe(session, current_principal(), probe_id)
        shown = {name: getattr(probe, name) for name in ProbeSchema().fields}
        return {**shown, "tries": [vars(one) for one in tries_of(session, probe)]}


@probes_api.route("/handsets/<uuid:handset_id>/probes")
class HandsetProbes(MethodView):
    @access(*STARTERS)
    @probes_api.response(201, StartedSchema)
    def post(self, handset_id: uuid.UUID) -> dict[str, uuid.UUID]:
        """Test now whether a phone can be reached; the id of the test that runs already, if one does."""
        now = runtime().clock.now()
        return {"id": start_probe(db.session(), current_principal(), handset_id, "person", now)}
