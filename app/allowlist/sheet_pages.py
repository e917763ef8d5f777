"""Lists of apps put up as a sheet: what it would change is a draft, its preview the dry run."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, flash, render_template, request

from app.allowlist.layering import WRITERS
from app.allowlist.shared_pages import Where, attachment, form_where, put, to_draft, told, where
from app.allowlist.sheets import APPS, AppImporter
from app.http.access import access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.http.transaction import open_write
from app.kernel.errors import DomainError
from app.registry import hint, read_upload, sheet_fields, template_xlsx

allowlist_sheet_pages = Blueprint("allowlist_sheet_pages", __name__)
_SHOWN = 200
_CARRIED = ("centre", "scope", "draft")


@allowlist_sheet_pages.get("/allowlist/sheet")
@access(*WRITERS)
def sheet() -> str:
    at = where(request.args)
    return _page(at) if at else render_template("allowlist/empty.html")


def _page(at: Where, importer: AppImporter | None = None) -> str:
    fields = [(f, hint(f)) for f in sheet_fields(APPS)]
    outcome = None if importer is None else importer.outcome
    return render_template("allowlist/sheet.html", at=at, fields=fields, outcome=outcome, shown=_SHOWN)


@allowlist_sheet_pages.get("/allowlist/template.xlsx")
@access(*WRITERS)
def template() -> Response:
    return attachment(template_xlsx(APPS), "应用名单-模板.xlsx", "allowlist-template.xlsx")


@allowlist_sheet_pages.post("/allowlist/sheet")
@access(*WRITERS, late_transaction=True)
def upload() -> Response:
    """Try the file: its faults by row and column, or a draft of what it would change."""
    given = request.files.get("file")
    if given is None or not given.filename:
        flash("请先选择一个文件。", "warning")
        return see_other(_back())
    try:
        name, table = read_upload(given.filename, given.read())
        session, now = open_write(), page_now()
        at = form_where()
        importer = AppImporter(session, current_principal(), APPS, now, layer=at.editable())
        outcome = importer.run(table)
        if outcome.problem_count:
            page = _page(at, importer)
            session.rollback()
            return Response(page, status=422, content_type="text/html; charset=utf-8")
        # Only the draft is undone by a refusal: the form's key stays, and its answer with it.
        with session.begin_nested():
            draft_id = put(at, importer.layer.body, f"表格 {name}"[:200], now)
    except DomainError as exc:
        flash(told(exc), "bad")
        return see_other(_back())
    return to_draft(draft_id, at)


def _back() -> str:
    """The form again, of the same centre and draft: the next try must not change another list than this one."""
    kept = {name: request.form[name] for name in _CARRIED if request.form.get(name)}
    return f"/allowlist/sheet?{urlencode(kept)}" if kept else "/allowlist/sheet"
