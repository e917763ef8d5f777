"""One timeline a page, and the same as an Excel sheet."""

from __future__ import annotations

import datetime as dt
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, render_template, request

from app.history.rules import Wanted
from app.history.service import PERSON_SEERS, History, history
from app.history.tools import Tools
from app.history.words import KINDS, ROOMS, path_of
from app.http.access import STAFF, access
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.pages import SHANGHAI, clock, page_now
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.kernel.texts import one_line
from app.kernel.timeline import SUBJECT_KINDS, Subject
from app.registry import write_xlsx
from app.runtime import runtime

history_pages = Blueprint("history", __name__)
_PAGE_EVENTS, _SHEET_EVENTS = 100, 20_000
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@history_pages.get("/history/employee/<uuid:subject_id>")
@access(*PERSON_SEERS)
def person_page(subject_id: uuid.UUID) -> str:
    return _page("employee", subject_id)


@history_pages.get("/history/<kind>/<uuid:subject_id>")
@access(*STAFF)
def history_page(kind: str, subject_id: uuid.UUID) -> str:
    return _page(kind, subject_id)


def _page(kind: str, subject_id: uuid.UUID) -> str:
    found = read_history(kind, subject_id, _wanted(), cursor=request.args.get("cursor"), limit=_PAGE_EVENTS)
    return render_template(
        "history/history.html",
        found=found,
        kind_word=KINDS[kind],
        room_words=ROOMS,
        subject_path=path_of(found.subject),
        section="phones" if kind == "handset" else "registry",
        narrowed=any(request.args.get(name) for name in ("room", "q", "from", "to")),
    )


@history_pages.get("/history/<kind>/<uuid:subject_id>.xlsx")
@access(*STAFF)
def history_sheet(kind: str, subject_id: uuid.UUID) -> Response:
    found = read_history(kind, subject_id, _wanted(), cursor=None, limit=_SHEET_EVENTS, exported=True)
    head = ["时间", "到", "类别", "事件", "说明"]
    rows = [
        [
            clock(event.at),
            clock(event.until) if event.until else "",
            ROOMS.get(event.room, event.room),
            event.title,
            event.detail,
        ]
        for event in found.events
    ]
    with tempfile.TemporaryDirectory(prefix="butler-history-") as folder:
        path = Path(folder) / "history.xlsx"
        write_xlsx(iter([head, *rows]), path, _Sheet("履历"))
        answer = Response(path.read_bytes(), content_type=_XLSX)
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="history-{kind}-{str(subject_id)[-6:]}.xlsx"'
    )
    return answer


@dataclass(frozen=True)
class _Sheet:
    label: str


def read_history(
    kind: str,
    subject_id: uuid.UUID,
    wanted: Wanted,
    *,
    cursor: str | None,
    limit: int,
    exported: bool = False,
) -> History:
    """The page of the caller; that a person's was read, or anybody's exported, is noted."""
    subject = subject_of(kind, subject_id)
    tools = Tools(runtime().policies, page_now())
    found = history(db.session(), current_principal(), subject, tools, wanted, cursor=cursor, limit=limit)
    if kind == "employee" or exported:
        action = "history.exported" if exported else "history.read"
        note_reading("history", action=action, subject=f"{kind}:{subject_id}", count=len(found.events))
    return found


def subject_of(kind: str, subject_id: uuid.UUID) -> Subject:
    """Raise `NotFound` for a kind that has no history."""
    for known in SUBJECT_KINDS:
        if known == kind:
            return Subject(known, subject_id)
    raise NotFound("没有这种履历 / there is no such history")


def _wanted() -> Wanted:
    args = request.args
    return Wanted(
        room=args.get("room", "") if args.get("room") in ROOMS else "",
        words=one_line(args.get("q", ""), 100),
        start=_day(args.get("from", "")),
        end=_day(args.get("to", ""), 1),
    )


def _day(text: str, add: int = 0) -> dt.datetime | None:
    try:
        day = dt.date.fromisoformat(text) + dt.timedelta(days=add)
    except (ValueError, OverflowError):
        return None
    return dt.datetime.combine(day, dt.time(), SHANGHAI)
