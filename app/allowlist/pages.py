"""The allow-list as it holds in a centre; its versions; work apps without a package; what is applied."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, render_template, request

from app.allowlist import fleet_store, views
from app.allowlist.applied import applied_in
from app.allowlist.candidates import candidates, models_in
from app.allowlist.catalogue import GROUPS
from app.allowlist.draft_pages import allowlist_draft_pages
from app.allowlist.drafting import open_drafts
from app.allowlist.edit_pages import allowlist_edit_pages
from app.allowlist.editing import PLACES
from app.allowlist.layering import READERS, SUBJECT, tree_for
from app.allowlist.origins import Node, plain
from app.allowlist.shared_pages import Where, attachment, where
from app.allowlist.sheet_pages import allowlist_sheet_pages
from app.allowlist.sheets import APPS, export_rows
from app.allowlist.versions import version_lines
from app.compliance import stale_counts
from app.http.access import access
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.pages import day, page_now
from app.kernel.db import db
from app.kernel.texts import one_line
from app.labels import labels_for, name_of
from app.people import names_of
from app.policy import effective
from app.registry import write_xlsx
from app.runtime import runtime

allowlist_pages = Blueprint("allowlist_pages", __name__)
for part in (allowlist_edit_pages, allowlist_sheet_pages, allowlist_draft_pages):
    allowlist_pages.register_blueprint(part)
_SHOWS = {"apps": "应用", "presets": "出厂预装", "settings": "设置与安全"}
_ROWS = 50
_LONGEST = 500


@allowlist_pages.get("/allowlist")
@access(*READERS)
def allowlist() -> str:
    at = where(request.args)
    if at is None:
        return render_template("allowlist/empty.html")
    tree = at.tree()
    shown = tree_for(tree, at.brand, at.model)
    show = request.args.get("show", "apps")
    return render_template(
        "allowlist/list.html", at=at, show=show if show in _SHOWS else "apps", shows=_SHOWS, places=PLACES,
        groups=GROUPS, unnamed=_unnamed(shown), names=names_of(db.session(), views.speakers(tree)),
        banned=views.banned_elsewhere(shown, at.brand, at.model), **_rows(at, tree, shown, show), **_around(at),
    )  # fmt: skip


def _rows(at: Where, tree: Node, shown: Node, show: str) -> dict[str, Any]:
    words = one_line(request.args.get("q", ""), 100)
    found: dict[str, Any] = {"q": words, "entries": views.entry_rows(tree), "gone": views.gone_rows(tree)}
    if show == "settings":
        rows = views.setting_rows(shown)
        found["settings"] = [
            row for row in rows if words.casefold() in f"{row.setting.label}{row.words}".casefold()
        ]
        return found
    apps = views.preset_rows(tree, at.brand, at.model) if show == "presets" else views.app_rows(shown)
    matching = [row for row in apps if row.matches(words)]
    return found | {
        "rows": matching[:_LONGEST],
        "left_off": max(0, len(matching) - _LONGEST),
        "all_rows": len(apps),
    }


def _unnamed(shown: Node) -> list[str]:
    return [row.label for row in views.app_rows(shown) if row.path[0] == "apps" and row.package is None]


def _around(at: Where) -> dict[str, Any]:
    """What stands around the lists: whom they are for, who waits for them, what is being changed."""
    session, who, files = db.session(), current_principal(), runtime().policies
    policy = effective(session, files, SUBJECT, at.centre_id)
    return {
        "centres": fleet_store.places(session, who),
        "models": models_in(session, at.centre_id),
        "phones": fleet_store.count_phones(session, [at.centre_id]),
        "stale": stale_counts(session, files, who).get(at.centre_id),
        "policy": policy,
        "drafts": open_drafts(session, who) if at.draft is None else [],
    }


@allowlist_pages.get("/allowlist/versions")
@access(*READERS)
def versions() -> str:
    at = where(request.args)
    if at is None:
        return render_template("allowlist/empty.html")
    session, who, files = db.session(), current_principal(), runtime().policies
    lines = version_lines(session, who, files, at.place)
    names = names_of(session, {line.row.created_by for line in lines})
    return render_template("allowlist/versions.html", at=at, lines=lines, names=names)


@allowlist_pages.get("/allowlist/names")
@access(*READERS)
def names() -> str:
    """The work apps whose package is not configured, beside the packages that phones really carry."""
    at = where(request.args)
    if at is None:
        return render_template("allowlist/empty.html")
    session, files = db.session(), runtime().policies
    policy = effective(session, files, SUBJECT, at.centre_id)
    labels = labels_for(session, files, at.centre_id)
    return render_template(
        "allowlist/names.html", at=at, unnamed=_unnamed(at.tree()),
        looked=candidates(session, policy, at.centre_id), called=lambda package: name_of(package, labels),
    )  # fmt: skip


@allowlist_pages.get("/allowlist/applied")
@access(*READERS)
def applied() -> str:
    at = where(request.args)
    if at is None:
        return render_template("allowlist/empty.html")
    session, who, files = db.session(), current_principal(), runtime().policies
    page = applied_in(session, who, files, at.centre_id, cursor=request.args.get("cursor"), limit=_ROWS)
    return render_template(
        "allowlist/applied.html", at=at, lines=page.items, next_cursor=page.next_cursor,
        policy=effective(session, files, SUBJECT, at.centre_id),
        stale=stale_counts(session, files, who).get(at.centre_id),
    )  # fmt: skip


@allowlist_pages.get("/allowlist/apps.xlsx")
@access(*READERS)
def export() -> Response:
    """All lists of apps as they hold in the centre, in the columns that an upload takes."""
    at = where(request.args)
    if at is None:
        return Response(status=404)
    tree = at.tree()
    rows = export_rows(plain(tree), views.origins_in_words(tree))
    with tempfile.TemporaryDirectory(prefix="butler-export-") as folder:
        path = Path(folder) / "export.xlsx"
        write_xlsx(rows, path, APPS)
        data = path.read_bytes()
    note_reading("allowlist", filters={"centre": str(at.centre_id)}, action="allowlist.exported")
    stamp = day(page_now())
    return attachment(data, f"应用名单-{at.centre}-{stamp}.xlsx", f"allowlist-{stamp}.xlsx")
