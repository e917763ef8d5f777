"""The page beside a row of phones: which one lights up?"""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, render_template

from app.http.access import access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.kernel.db import db
from app.overview.identify import BEACONS, last_beacon, light_up
from app.registry import find_handset
from app.runtime import runtime

identify_pages = Blueprint("identify_pages", __name__)


@identify_pages.get("/handsets/<uuid:handset_id>/identify")
@access(*BEACONS)
def identify(handset_id: uuid.UUID) -> str:
    session, who = db.session(), current_principal()
    phone = find_handset(session, who, handset_id)
    return render_template(
        "overview/identify.html",
        phone=phone,
        beacon=last_beacon(session, who, phone),
        checkin_s=runtime().settings.checkin_interval_s,
    )


@identify_pages.post("/handsets/<uuid:handset_id>/identify")
@access(*BEACONS)
def ask_to_light_up(handset_id: uuid.UUID) -> Response:
    """While one is under way, a second press only shows that one."""
    light_up(db.session(), current_principal(), handset_id, page_now())
    return see_other(f"/handsets/{handset_id}/identify")
