"""The apps of all phones, one app with its phones, and what changed on one phone."""

from __future__ import annotations

import datetime as dt
import itertools
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, flash, render_template, request

from app.apps import words
from app.apps.changes import Carrier, hidden_again, list_carriers, list_phone_changes, require_package, scopes
from app.apps.fleet import PLACES, SORTS, FleetApp, Wanted, fleet_apps, with_versions
from app.apps.fleet_store import SORTS as CARRIER_SORTS
from app.http.access import STAFF, access
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.pages import SHANGHAI, day, may, page_now, see_other, when
from app.kernel.db import db
from app.kernel.ids import parse_id
from app.kernel.texts import one_line, wrong
from app.labels import MAX_LABEL, Scope, labels_for, name_app
from app.registry import find_handset, live_centres, write_xlsx
from app.runtime import runtime

apps_pages = Blueprint("apps_pages", __name__)
_ROWS, _SHEET_ROWS, _CHANGES = 50, 200_000, 200
_DAYS = 30
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WORDS = {
    "place_words": words.PLACES,
    "kind_words": words.KINDS,
    "groups": words.GROUPS,
}


def _wanted() -> Wanted:
    """What the address asks for; what makes no sense there is as if it were not there."""
    args = request.args
    sort = args.get("sort", "-phones")
    return Wanted(
        text=one_line(args.get("q", ""), 100),
        place=args.get("place") if args.get("place") in PLACES else None,
        centre_id=parse_id(args.get("centre", "")),
        system=args.get("system") == "1",
        sort=sort if sort.removeprefix("-") in SORTS else "-phones",
    )


@apps_pages.get("/apps")
@access(*STAFF)
def apps() -> str:
    session, who, wanted = db.session(), current_principal(), _wanted()
    fleet = fleet_apps(session, who, runtime().policies, wanted)
    page, pages = _page(len(fleet.found))
    shown = fleet.found[(page - 1) * _ROWS : page * _ROWS]
    return render_template(
        "apps/list.html",
        fleet=fleet,
        rows=with_versions(session, who, wanted, shown),
        wanted=wanted,
        centres=live_centres(session, who),
        page=page,
        pages=pages,
        **_WORDS,
    )


def _page(total: int) -> tuple[int, int]:
    """The page that is asked for and how many there are, each at least 1."""
    pages = max(1, -(-total // _ROWS))
    return min(max(1, request.args.get("page", 1, type=int)), pages), pages


@apps_pages.get("/apps.xlsx")
@access(*STAFF)
def apps_sheet() -> Response:
    session, who, wanted = db.session(), current_principal(), _wanted()
    fleet = fleet_apps(session, who, runtime().policies, wanted)
    rows = with_versions(session, who, wanted, fleet.found)
    note_reading("apps", action="list.exported", count=len(rows), filters=request.args)
    head = ["名称", "包名", "名单", "手机台数", "其他用户空间", "版本", "首次发现", "最近新装"]
    return _sheet("应用", "apps", itertools.chain([head], map(_fleet_row, rows)))


def _fleet_row(app: FleetApp) -> list[str]:
    versions = "；".join(f"{name or '未知'}：{count}" for name, count in app.versions)
    places = "、".join(words.PLACES[place][1] for place in app.places)
    newest = when(app.newest_at) if app.newest_at else ""
    return [
        app.label or "", app.package, places, str(app.phones), str(app.others), versions, when(app.first_at), newest,
    ]  # fmt: skip


@dataclass(frozen=True)
class _Titled:
    label: str


def _sheet(title: str, name: str, rows: Iterator[list[str]]) -> Response:
    with tempfile.TemporaryDirectory(prefix="butler-apps-") as folder:
        path = Path(folder) / "apps.xlsx"
        write_xlsx(rows, path, _Titled(title))
        answer = Response(path.read_bytes(), content_type=_XLSX)
    stamp = page_now().astimezone(SHANGHAI).strftime("%Y%m%d")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{stamp}.xlsx"'
    return answer


def _carriers(package: str, *, gone: bool, limit: int, offset: int = 0) -> tuple[list[Carrier], int]:
    sort = request.args.get("sort", "tag")
    return list_carriers(
        db.session(),
        current_principal(),
        runtime().policies,
        package,
        gone=gone,
        text=one_line(request.args.get("q", ""), 100),
        centre_id=parse_id(request.args.get("centre", "")),
        sort=sort if sort.removeprefix("-") in CARRIER_SORTS else "tag",
        offset=offset,
        limit=limit,
    )


@apps_pages.get("/apps/<package>")
@access(*STAFF)
def one_app(package: str) -> str:
    session, who, files = db.session(), current_principal(), runtime().policies
    require_package(session, who, package)
    gone = request.args.get("gone") == "1"
    _, total = _carriers(package, gone=gone, limit=0)
    page, pages = _page(total)
    rows, _ = _carriers(package, gone=gone, limit=_ROWS, offset=(page - 1) * _ROWS)
    _, others = _carriers(package, gone=not gone, limit=0)
    return render_template(
        "apps/app.html",
        package=package,
        label=labels_for(session, files, parse_id(request.args.get("centre", ""))).get(package)
        or _label_somewhere(package),
        rows=rows,
        total=total,
        there=others if gone else total,
        once=total if gone else others,
        gone=gone,
        page=page,
        pages=pages,
        sort=request.args.get("sort", "tag"),
        centres=live_centres(session, who),
        scopes=scopes(session, who) if may(f"/apps/{package}/label", "POST") else [],
        max_label=MAX_LABEL,
        **_WORDS,
    )


def _label_somewhere(package: str) -> str | None:
    """What any of the caller's centres calls it."""
    session, who = db.session(), current_principal()
    for centre_id, _ in live_centres(session, who):
        found = labels_for(session, runtime().policies, centre_id).get(package)
        if found is not None:
            return found
    return None


@apps_pages.get("/apps/<package>/phones.xlsx")
@access(*STAFF)
def app_sheet(package: str) -> Response:
    require_package(db.session(), current_principal(), package)
    rows, _ = _carriers(package, gone=False, limit=_SHEET_ROWS)
    once, _ = _carriers(package, gone=True, limit=_SHEET_ROWS)
    note_reading("apps", action="list.exported", count=len(rows) + len(once), filters={"package": package})
    head = ["资产编号", "服务中心", "用户空间", "版本", "安装来源", "名单", "最晚从", "最早从", "不再有"]
    return _sheet("手机", "app", itertools.chain([head], map(_carrier_row, [*rows, *once])))


def _carrier_row(row: Carrier) -> list[str]:
    return [
        row.asset_tag, row.centre_name, str(row.user), row.version_name or "", row.source, words.PLACES[row.place][1],
        when(row.since_at), when(row.since_from) if row.since_from else "首次读到时已有",
        when(row.gone_at) if row.gone_at else "",
    ]  # fmt: skip


@apps_pages.post("/apps/<package>/label")
@access("operations")
def name_it(package: str) -> Response:
    form = request.form
    scope, _, scope_id = form.get("scope", "").partition(":")
    found = parse_id(scope_id)
    scopes_known: dict[str, Scope] = {"district": "district", "centre": "centre"}
    if scope not in scopes_known or found is None:
        raise wrong("scope", "请选择在哪里使用这个名称 / choose a centre or district")
    text = name_app(
        db.session(), current_principal(), runtime().policies, package, form.get("label", ""),
        scope=scopes_known[scope], scope_id=found, reason=form.get("reason", ""), now=page_now(),
    )  # fmt: skip
    flash(f"已命名为“{text}”。各页从现在起显示这个名称。", "success")
    return see_other(f"/apps/{package}")


@apps_pages.get("/phones/<uuid:handset_id>/changes")
@access(*STAFF)
def phone_changes(handset_id: uuid.UUID) -> str:
    session, who = db.session(), current_principal()
    since = _since()
    begins = dt.datetime.combine(since, dt.time(), SHANGHAI)
    group = request.args.get("group")
    page = list_phone_changes(
        session,
        who,
        runtime().policies,
        handset_id,
        since=begins,
        group=group if group in words.GROUPS else None,
        cursor=request.args.get("cursor"),
        limit=_CHANGES,
    )
    days = [(name, list(rows)) for name, rows in itertools.groupby(page.items, key=lambda row: day(row.at))]
    return render_template(
        "apps/changes.html",
        phone=find_handset(session, who, handset_id),
        days=days,
        hidden=[]
        if group not in (None, "", "apps")
        else hidden_again(session, who, runtime().policies, handset_id, begins),
        since=since,
        group=group,
        next_cursor=page.next_cursor,
        today=page_now().astimezone(SHANGHAI).date(),
        **_WORDS,
    )


def _since() -> dt.date:
    """The day that was chosen, else some weeks back."""
    try:
        return max(dt.date.fromisoformat(request.args.get("since", "")), dt.date(1990, 1, 1))
    except ValueError:
        return page_now().astimezone(SHANGHAI).date() - dt.timedelta(days=_DAYS)
