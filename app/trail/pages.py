"""The trail for auditors, and for leads that of their centres."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from flask import Blueprint, Response, flash, render_template, request, send_file
from werkzeug.datastructures import MultiDict

from app.audit import Search, begin_bundle, erase, find_events, write_bundle
from app.http.access import access
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.pages import SHANGHAI, page_now, see_other
from app.http.transaction import write_apart
from app.kernel.db import db
from app.kernel.errors import Forbidden
from app.kernel.ids import parse_id
from app.kernel.texts import one_line
from app.people import actors_named
from app.registry import live_centres
from app.runtime import runtime
from app.trail import views
from app.trail.sending import checkpoint_now
from app.trail.words import OUTCOMES, ROOMS, object_words

trail_pages = Blueprint("trail_pages", __name__)
_LIMIT = 50
READERS = ("auditor", "lead")


@trail_pages.get("/audit")
@access(*READERS)
def trail() -> str:
    session, who = db.session(), current_principal()
    search = _search(request.args)
    page = find_events(session, who, search, cursor=request.args.get("cursor"), limit=_LIMIT)
    centres = live_centres(session, who)
    whole = who.centres is None
    shown = render_template(
        "trail/list.html",
        lines=views.lines(session, page.items, dict(centres)),
        next_cursor=page.next_cursor,
        centres=centres,
        rooms=ROOMS,
        outcomes=OUTCOMES,
        narrowed=bool(set(request.args) - {"cursor"}),
        standing=views.standing(session, runtime().keys) if whole else None,
        may_export=whole,
        may_erase=whole and who.has_any("admin"),
    )
    note_reading("audit", filters=request.args.to_dict(), count=len(page.items))
    return shown


def _search(args: MultiDict[str, str]) -> Search:
    name, room = one_line(args.get("who", ""), 60), args.get("room", "")
    actor = one_line(args.get("actor", ""), 200)
    start, end = _day(args.get("from", "")), _day(args.get("to", ""))
    named = (*actors_named(db.session(), name), name) if name else None
    return Search(
        actors=(actor,) if actor else named,
        actions=(f"{room}.",) if room in ROOMS else (),
        object=one_line(args.get("object", ""), 200),
        centre_id=parse_id(args.get("centre", "")),
        outcome=args.get("outcome", "") if args.get("outcome") in OUTCOMES else "",
        start=start,
        end=end + dt.timedelta(days=1) if end else None,
        text=one_line(args.get("q", ""), 100),
    )


def _day(text: str) -> dt.datetime | None:
    """The beginning of a day in Shanghai; a date that is none narrows nothing."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    # The last day of all has no next one.
    return dt.datetime.combine(day, dt.time(), SHANGHAI) if dt.date.min < day < dt.date.max else None


@trail_pages.post("/audit/export")
@access("auditor", late_transaction=True)
def export() -> Response:
    """The whole trail as a bundle: only for who may see the whole company, for a part of a chain proves nothing."""
    who, here, now = current_principal(), runtime(), page_now()
    if who.centres is not None:
        raise Forbidden("完整的审计记录只给全公司的审计 / the whole trail is for company-wide auditors only")
    with write_apart() as writer:
        checkpoint_now(writer, here.keys, here.settings, now)
        info = begin_bundle(writer, here.keys, actor=who.user, now=now, ip=request.remote_addr or "")
    with tempfile.TemporaryDirectory(prefix="butler-export-") as folder:
        path = Path(folder) / "audit.zip"
        write_bundle(db.session(), here.keys, path, info)
        handle = path.open("rb")  # outlives its name, which goes with the folder
    name = f"audit-{now.astimezone(SHANGHAI):%Y%m%d-%H%M}-{info.size}.zip"
    return send_file(handle, mimetype="application/zip", as_attachment=True, download_name=name)


@trail_pages.get("/audit/erase")
@access("admin")
def confirm_erase() -> str:
    subject = one_line(request.args.get("object", ""), 200)
    return render_template("trail/erase.html", subject=subject, words=object_words(subject))


@trail_pages.post("/audit/erase")
@access("admin")
def erase_details() -> Response:
    form = request.form
    number = erase(
        db.session(),
        one_line(form.get("object", ""), 200),
        actor=current_principal().user,
        reason=form.get("reason", ""),
        now=page_now(),
        ip=request.remote_addr or "",
    )
    flash(f"已删除 {number} 个事件的详情；事件本身仍在，链仍然完整。", "success")
    return see_other("/audit")
