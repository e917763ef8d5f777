"""Receipts for people: the list for finance, one claim with its decision, a form to file one."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import Blueprint, Response, flash, render_template, request

from app.allowance import claims, lists, views
from app.allowance.api import tools
from app.allowance.claim_api import file_form, receipt_response
from app.allowance.model import TopupClaim
from app.allowance.rules import SHANGHAI, is_month
from app.allowance.states import State
from app.allowance.tools import VIEWERS
from app.allowance.words import FOR_PAGES
from app.http.access import SIGNED_IN, access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.kernel.db import db
from app.kernel.errors import DomainError, FieldError, Invalid
from app.kernel.ids import parse_id
from app.kernel.money import parse_yuan
from app.ledger import reversals_of
from app.people import names_of
from app.registry import live_centres

claim_pages = Blueprint("topup_claim_pages", __name__)


@claim_pages.get("/allowance/claims")
@access(*VIEWERS)
def claim_list() -> str:
    session, who, args = db.session(), current_principal(), request.args
    state = args.get("state", State.FILED)
    month = args.get("month", "")
    page = lists.list_claims(
        session,
        who,
        centre_id=parse_id(args.get("centre", "")),
        month=month if is_month(month) else None,
        state=state if state in list(State) else None,
        cursor=args.get("cursor") or None,
    )
    return render_template(
        "allowance/claims.html",
        **FOR_PAGES,
        claims=page.items,
        people=lists.people_of(session, page.items),
        next_cursor=page.next_cursor,
        centres=live_centres(session, who),
        state=state,
        month=month,
        may_file=who.has_any("operations"),
    )


@claim_pages.get("/allowance/claims/new")
@access("operations")
def new_page() -> str:
    """Operations file for a butler."""
    session, who = db.session(), current_principal()
    return _form(None, {}, (), lists.filers(session, who))


@claim_pages.get("/my/allowance/claims/new")
@access(*SIGNED_IN)
def own_new_page() -> str:
    return _form(lists.own_employee(current_principal()), {}, (), ())


def _form(me: uuid.UUID | None, values: Any, problems: Any, people: Any, told: str = "") -> str:
    return render_template(
        "allowance/claim_new.html",
        **FOR_PAGES,
        own=me is not None,
        values=values,
        problems={p.field: p.message for p in problems},
        told=told,
        people=people,
        latest=page_now().astimezone(SHANGHAI).date(),
    )


@claim_pages.post("/allowance/claims/new")
@access("operations", late_transaction=True)
def new_claim() -> Response | str:
    return _file(None)


@claim_pages.post("/my/allowance/claims/new")
@access(*SIGNED_IN, late_transaction=True)
def own_new_claim() -> Response | str:
    return _file(lists.own_employee(current_principal()))


def _file(me: uuid.UUID | None) -> Response | str:
    try:
        claim = file_form(_read(me), _upload())
    except DomainError as exc:
        # What was typed must not be lost with a refusal; nothing is written by then but what the rollback undoes.
        session = db.session()
        session.rollback()
        people = () if me else lists.filers(session, current_principal())
        told = "" if exc.fields else exc.detail.split(" / ")[0]
        return Response(_form(me, request.form, exc.fields, people, told), status=422)
    flash(f"报销单已提交：{claim.month}。", "success")
    return see_other(f"/my/allowance/claims/{claim.id}" if me else f"/allowance/claims/{claim.id}")


def _upload() -> Any:
    upload = request.files.get("receipt")
    if upload is None or not upload.filename:
        raise _wrong("receipt", "请选择票据照片或 PDF")
    return upload


def _read(me: uuid.UUID | None) -> dict[str, Any]:
    form = request.form
    employee = me or parse_id(form.get("employee_id", ""))
    if employee is None:
        raise _wrong("employee_id", "请选择员工")
    try:
        fen = int(parse_yuan(form.get("paid", "")))
    except ValueError:
        raise _wrong("paid_fen", "金额最多两位小数，例 128.50") from None
    try:
        paid_on = dt.date.fromisoformat(form.get("paid_on", ""))
    except ValueError:
        raise _wrong("paid_on", "请选择充值日期") from None
    number = form.get("receipt_number", "")
    return {
        "employee_id": employee,
        "paid_fen": fen,
        "paid_on": paid_on,
        "receipt_number": number,
        "note": form.get("note", ""),
    }


def _wrong(field: str, message: str) -> Invalid:
    return Invalid("报销单不正确", fields=[FieldError(field, "invalid", message)])


@claim_pages.get("/allowance/claims/<uuid:claim_id>")
@access(*VIEWERS)
def claim_page(claim_id: uuid.UUID) -> str:
    return _claim(claim_id, own=False)


@claim_pages.get("/my/allowance/claims/<uuid:claim_id>")
@access(*SIGNED_IN)
def own_claim_page(claim_id: uuid.UUID) -> str:
    return _claim(claim_id, own=True)


def _claim(claim_id: uuid.UUID, *, own: bool) -> str:
    session, who = db.session(), current_principal()
    claim = claims.get(session, who, claim_id)
    actors = [a for a in (claim.filed_by, claim.decided_by) if a]
    return render_template(
        "allowance/claim.html",
        **FOR_PAGES,
        claim=claim,
        person=lists.people_of(session, [claim])[claim.employee_id],
        names=names_of(session, actors),
        own=own,
        base="/my/allowance/claims" if own else "/allowance/claims",
        left=None if own else claims.cap_left(session, tools(), claim),
        decidable=not own and claims.decidable(who, claim),
        withdrawable=who.user == claim.filed_by or who.employee == claim.employee_id,
    )


@claim_pages.get("/allowance/claims/<uuid:claim_id>/receipt")
@access(*SIGNED_IN)
def receipt_page(claim_id: uuid.UUID) -> Response:
    return receipt_response(claim_id)


@claim_pages.post("/allowance/claims/<uuid:claim_id>/approve")
@access(*claims.DECIDERS)
def approve_page(claim_id: uuid.UUID) -> Response:
    fen, reason = _fen(), request.form.get("reason", "")
    return _decided(
        claims.approve(
            db.session(), current_principal(), tools(), claim_id, fen=fen, reason=reason, now=page_now()
        )
    )


@claim_pages.post("/allowance/claims/<uuid:claim_id>/reject")
@access(*claims.DECIDERS)
def reject_page(claim_id: uuid.UUID) -> Response:
    reason = request.form.get("reason", "")
    return _decided(claims.reject(db.session(), current_principal(), claim_id, reason=reason, now=page_now()))


@claim_pages.post("/allowance/claims/<uuid:claim_id>/reverse")
@access(*claims.DECIDERS)
def reverse_page(claim_id: uuid.UUID) -> Response:
    reason = request.form.get("reason", "")
    return _decided(
        claims.take_back(db.session(), current_principal(), claim_id, reason=reason, now=page_now())
    )


def _decided(claim: TopupClaim) -> Response:
    words = {State.APPROVED: "已批准并记账。", State.REJECTED: "已驳回。", State.REVERSED: "已冲回。"}
    flash(words[State(claim.state)], "success")
    return see_other(f"/allowance/claims/{claim.id}")


def _fen() -> int | None:
    text = request.form.get("approved", "").strip()
    try:
        return int(parse_yuan(text)) if text else None
    except ValueError:
        raise _wrong("approved_fen", "金额最多两位小数，例 128.50") from None


@claim_pages.post("/my/allowance/claims/<uuid:claim_id>/withdraw")
@access(*SIGNED_IN)
def withdraw_page(claim_id: uuid.UUID) -> Response:
    claim = claims.withdraw(db.session(), current_principal(), claim_id, now=page_now())
    flash("报销单已撤回，同一张票据可以重新提交。", "success")
    own = current_principal().employee == claim.employee_id
    return see_other(f"/my/allowance/claims/{claim_id}" if own else f"/allowance/claims/{claim_id}")


@claim_pages.get("/my/allowance")
@access(*SIGNED_IN)
def own_page() -> str:
    """One's own months, bookings and receipts."""
    session = db.session()
    me = lists.own_employee(current_principal())
    lines, entries = lists.own_lines(session, me), lists.own_entries(session, me)
    return render_template(
        "allowance/mine.html",
        **FOR_PAGES,
        lines=list(zip(views.line_views(session, lines), lines, strict=True)),
        entries=entries,
        reversals=reversals_of(session, [e.id for e in entries]),
        claims=lists.own_claims(session, me),
        takes_claims=lists.takes_claims(session, tools(), me),
    )
