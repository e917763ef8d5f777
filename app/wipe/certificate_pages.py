"""The certificate's own page: its text, both signatures, what was issued, and how it is taken back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, flash, render_template, request

from app.http.access import access
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.pages import page_now, see_other, zh
from app.http.proving import signer_of_form
from app.http.transaction import open_write, write_apart
from app.kernel.db import db
from app.kernel.errors import DomainError, Forbidden, NotFound
from app.papers import Press, read_ink
from app.runtime import runtime
from app.wipe import certifying, inspection_store, revoking, store
from app.wipe.hook import tools
from app.wipe.inspection_model import WipeCertificate
from app.wipe.inspection_views import certificate_panel
from app.wipe.pages import refused
from app.wipe.sealing import json_of
from app.wipe.tools import ASKERS, VIEWERS

certificate_pages = Blueprint("wipe_certificate_pages", __name__)


def press() -> Press:
    here = runtime()
    return Press(write_apart, here.keys, here.blobs, here.settings, here.clock)


def _path(wipe_id: uuid.UUID) -> str:
    return f"/wipes/{wipe_id}/certificate"


@certificate_pages.get("/wipes/<uuid:wipe_id>/certificate")
@access(*VIEWERS)
def certificate(wipe_id: uuid.UUID) -> str:
    return _page(wipe_id)


def _page(
    wipe_id: uuid.UUID, refusal: DomainError | None = None, typed: Mapping[str, str] | None = None
) -> str:
    session, who = db.session(), current_principal()
    wipe = store.find(session, who, wipe_id)
    fields = refusal.fields if refusal else ()
    values: dict[str, Any] = certificate_panel(session, who, tools(), wipe)
    return render_template(
        "wipe/certificate.html", refusal=refusal, typed=typed or {}, chosen=request.args.get("side", ""), zh=zh,
        ink_problem=next((zh(p.message) for p in fields if p.field == "ink"), ""), **values,
    )  # fmt: skip


@certificate_pages.post("/wipes/<uuid:wipe_id>/certificate")
@access(*ASKERS)
def put_up(wipe_id: uuid.UUID) -> Response:
    def act() -> str:
        certifying.put_up(
            db.session(), current_principal(), wipe_id, tools=tools(), vault=runtime().vault, now=page_now()
        )
        return "证明已拟定，请执行人和检查人看过全文以后签字。"

    return _do(wipe_id, act)


@certificate_pages.post("/wipes/<uuid:wipe_id>/certificate/sign")
@access(*ASKERS, late_transaction=True)
def sign(wipe_id: uuid.UUID) -> Response:
    """Password and drawing are looked at before the write begins; only then whether it still is the text he read."""
    form, who = request.form, current_principal()
    try:
        ink = read_ink(form.get("ink", ""))
        signer = signer_of_form(form)
        session = open_write()
        row = _standing(wipe_id)
        given = certifying.Signing(
            form.get("side", ""), form.get("title", ""), form.get("place", ""), form.get("contact", ""), ink.png,
            form.get("digest", ""), form.get("instead_reason", ""),
        )  # fmt: skip
        row = certifying.sign(session, who, row.id, given, signer=signer, tools=tools(), now=page_now())
    except DomainError as exc:
        return _again(wipe_id, exc)
    flash("证明已出具。" if row.state == "issued" else "已签字，等另一方。", "success")
    return see_other(_path(wipe_id))


@certificate_pages.post("/wipes/<uuid:wipe_id>/certificate/drop")
@access(*ASKERS)
def drop(wipe_id: uuid.UUID) -> Response:
    def act() -> str:
        row, reason = _standing(wipe_id), request.form.get("reason", "")
        certifying.take_back(db.session(), current_principal(), row.id, reason=reason, now=page_now())
        return "已退回，签过的字作废（留有记录）。"

    return _do(wipe_id, act)


@certificate_pages.post("/wipes/<uuid:wipe_id>/certificate/<any(revoke, uphold):what>")
@access(*revoking.DECIDERS)
def decide(wipe_id: uuid.UUID, what: str) -> Response:
    def act() -> str:
        session, who, row, reason = (
            db.session(),
            current_principal(),
            _standing(wipe_id),
            request.form.get("reason", ""),
        )
        if what == "uphold":
            revoking.uphold(session, who, row.id, reason=reason, now=page_now())
            return "已记下：证明仍然有效。"
        paper = revoking.revoke(session, who, row.id, reason=reason, tools=tools(), now=page_now())
        return f"证明已撤销，撤销声明 {paper.number}。"

    return _do(wipe_id, act)


@certificate_pages.get("/wipes/<uuid:wipe_id>/certificate.json")
@access(*VIEWERS)
def certificate_json(wipe_id: uuid.UUID) -> Response:
    """The certificate for machines; 503 while the escrow is sealed and it was not signed before."""
    row = _standing(wipe_id)
    data = json_of(db.session(), press(), runtime().vault, row.id)
    note_reading("wipe", action="wipe.certificate_read", subject=f"wipe:{wipe_id}")
    answer = Response(data, content_type="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="certificate-{wipe_id}.json"'
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _standing(wipe_id: uuid.UUID) -> WipeCertificate:
    session = db.session()
    wipe = store.find(session, current_principal(), wipe_id)
    row = inspection_store.standing(session, wipe.id)
    if row is None:
        raise NotFound("没有有效的证明 / no certificate")
    return row


def _do(wipe_id: uuid.UUID, act: Callable[[], str]) -> Response:
    try:
        done = act()
    except DomainError as exc:
        return _again(wipe_id, exc)
    flash(done, "success")
    return see_other(_path(wipe_id))


def _again(wipe_id: uuid.UUID, exc: DomainError) -> Response:
    if isinstance(exc, NotFound | Forbidden) and exc.code not in ("not_this_side", "second_person"):
        raise exc
    db.session().rollback()
    return refused(exc, _page(wipe_id, exc, request.form))
