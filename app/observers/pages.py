"""When gateways, sites and the server were not up, for staff."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, render_template, request

from app.http.access import STAFF, access
from app.http.identity import current_principal
from app.http.pages import page_now
from app.kernel.db import db
from app.kernel.ids import parse_id
from app.observers import words
from app.observers.service import observers_now, outages, server_up_since, trusted, visible_centres

observers_pages = Blueprint("observers_pages", __name__)
_DAYS = (7, 30, 90)


@observers_pages.get("/observers")
@access(*STAFF)
def observers() -> str:
    session, who, now = db.session(), current_principal(), page_now()
    centres = visible_centres(session, who)
    wanted = parse_id(request.args.get("centre", ""))
    days = request.args.get("days", _DAYS[0], type=int)
    days = days if days in _DAYS else _DAYS[0]
    centre = next((c for c in centres if c.id == wanted), centres[0] if centres else None)
    found = [] if centre is None else outages(session, who, centre.id, now - dt.timedelta(days=days), now)
    return render_template(
        "observers/list.html",
        centres=centres,
        centre=centre,
        days=days,
        choices=_DAYS,
        outages=list(reversed(found)),
        gateways=[] if centre is None else observers_now(session, centre.id, now),
        believed=centre is not None and trusted(session, centre.id, now),
        server_since=server_up_since(session, now),
        now=now,
        **words.FOR_PAGES,
    )
