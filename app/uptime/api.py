from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask.views import MethodView

from app.http.access import STAFF, access
from app.http.api import API_PREFIX, Blueprint
from app.http.identity import current_principal
from app.kernel.db import db
from app.runtime import runtime
from app.uptime.schemas import CountsSchema, PowerSchema, WindowArgs
from app.uptime.service import HandsetPower, power_counts, power_of_handset

uptime_api = Blueprint("uptime", __name__, url_prefix=API_PREFIX, description="开关机 / On and off (R02)")


@uptime_api.route("/handsets/<uuid:handset_id>/power")
class Power(MethodView):
    @access(*STAFF)
    @uptime_api.arguments(WindowArgs, location="query")
    @uptime_api.response(200, PowerSchema)
    def get(self, window: dict[str, dt.datetime | None], handset_id: uuid.UUID) -> HandsetPower:
        """Each stretch on, off or unknown, with its evidence; and the present state."""
        return power_of_handset(
            db.session(),
            current_principal(),
            handset_id,
            window["start"],
            window["end"],
            runtime().clock.now(),
            runtime().policies,
        )


@uptime_api.route("/power")
class Counts(MethodView):
    @access(*STAFF)
    @uptime_api.response(200, CountsSchema)
    def get(self) -> dict[str, Any]:
        """How many phones are proved on now, and how many are not."""
        counts = power_counts(db.session(), current_principal(), runtime().clock.now(), runtime().policies)
        return {state.value: number for state, number in counts.items()}
