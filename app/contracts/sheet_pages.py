"""Contracts in Excel: export, template, import with a dry run."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, flash, render_template, request

from app.contracts.contract_service import WRITERS
from app.contracts.pages import list_filters
from app.contracts.shared_pages import XLSX, attachment, told
from app.contracts.sheets import CONTRACTS, SHEETS, ContractImporter, export_query, export_rows
from app.http.access import STAFF, access
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.pages import day, page_now, see_other
from app.http.transaction import open_write
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.registry import (
    apply_import,
    find_import,
    hint,
    kept_sheet,
    put_up,
    read_upload,
    sheet_fields,
    template_xlsx,
    write_xlsx,
)

sheet_pages = Blueprint("contract_sheets", __name__)
_PROBLEMS_SHOWN = 200


@sheet_pages.get("/contracts/export.xlsx")
@access(*STAFF)
def export() -> Response:
    """The list's contracts with its own filters, by what ends next."""
    session, filters = db.session(), list_filters()
    rows = export_query(session, current_principal(), **filters)
    with tempfile.TemporaryDirectory(prefix="butler-export-") as folder:
        path = Path(folder) / "export.xlsx"
        write_xlsx(export_rows(session, rows), path, CONTRACTS)
        data = path.read_bytes()
    note_reading(CONTRACTS.name, filters=filters, count=len(rows), action="number_contract.exported")
    stamp = day(page_now())
    return attachment(data, XLSX, f"号码合约-{stamp}.xlsx", f"number-contracts-{stamp}.xlsx")


@sheet_pages.get("/contracts/template.xlsx")
@access(*WRITERS)
def template() -> Response:
    return attachment(template_xlsx(CONTRACTS), XLSX, "号码合约-模板.xlsx", "number-contracts-template.xlsx")


@sheet_pages.get("/contracts/import")
@access(*WRITERS)
def import_page() -> str:
    return render_template("contracts/import.html", fields=[(f, hint(f)) for f in sheet_fields(CONTRACTS)])


@sheet_pages.post("/contracts/import")
@access(*WRITERS, late_transaction=True)
def upload() -> Response:
    """Try the file and show what it would do."""
    given = request.files.get("file")
    if given is None or not given.filename:
        flash("请先选择一个文件。", "warning")
        return see_other("/contracts/import")
    try:
        data = given.read()
        name, sheet = read_upload(given.filename, data)
        row = put_up(
            open_write(),
            current_principal(),
            CONTRACTS,
            name,
            sheet,
            data,
            page_now(),
            importer=ContractImporter,
        )
    except DomainError as exc:
        # Nothing is written by then: a dry run is rolled back before its refusal gets here.
        flash(told(exc), "bad")
        return see_other("/contracts/import")
    return see_other(f"/contracts/imports/{row.id}")


@sheet_pages.get("/contracts/imports/<uuid:import_id>")
@access(*WRITERS)
def outcome_page(import_id: uuid.UUID) -> str:
    row = find_import(db.session(), current_principal(), import_id, of=SHEETS)
    return render_template(
        "registry/outcome.html", row=row, outcome=row.outcome, resource=CONTRACTS, shown=_PROBLEMS_SHOWN,
        section="contracts", home="/contracts", home_word="号码合约", import_link="/contracts/import",
        list_link="/contracts", problems_csv=False,
    )  # fmt: skip


@sheet_pages.post("/contracts/imports/<uuid:import_id>/apply")
@access(*WRITERS, late_transaction=True)
def apply(import_id: uuid.UUID) -> Response:
    """Import for good. A refusal must reach the error handler: only that rolls back what was written before it."""
    session, who = db.session(), current_principal()
    sheet = kept_sheet(session, who, import_id, of=SHEETS)
    session.rollback()  # a write transaction must be one from its first statement
    row = apply_import(open_write(), who, import_id, sheet, page_now(), of=SHEETS, importer=ContractImporter)
    outcome: dict[str, Any] = row.outcome
    flash(f"已导入：新增 {outcome['created']} 条，修改 {outcome['changed']} 条。", "success")
    return see_other(f"/contracts/imports/{row.id}")
