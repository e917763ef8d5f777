"""The contracts of numbers: what ends next, numbers without one, the months ahead, one contract with its forms."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, render_template, request

from app.contracts import contract_service as service
from app.contracts import drafting_service, store, views, work_store
from app.contracts.contract_service import SUBJECT, WRITERS
from app.contracts.forms import terms_of_form
from app.contracts.model import NumberContract
from app.contracts.rules import CODES, CONCLUSIONS, ITEMS, local_day, near_of
from app.contracts.shared_pages import act, attachment, refused, told, version
from app.contracts.states import ASSESSMENT_WORDS
from app.contracts.words import PLANS, shown_number
from app.http.access import STAFF, access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.http.transaction import open_write
from app.kernel.db import db
from app.kernel.errors import DomainError, FieldError, Invalid, NotFound
from app.kernel.ids import parse_id
from app.kernel.money import format_yuan
from app.kernel.texts import one_line
from app.people import names_of
from app.registry import live_centres, normal_e164
from app.runtime import runtime

contract_pages = Blueprint("contract_pages", __name__)
FOR_PAGES: Mapping[str, Any] = {
    "plans": PLANS, "yuan": format_yuan, "shown": shown_number, "item_words": ITEMS, "code_words": CODES,
    "conclusions": CONCLUSIONS, "assessment_words": ASSESSMENT_WORDS,
}  # fmt: skip
_MONTHS = 12


def list_filters() -> dict[str, Any]:
    """What the address asks for, as `views.list_contracts` takes it."""
    args, near = request.args, near_of(runtime().policies.latest(SUBJECT).body["warn_days"])
    first, last = views.span_of(args.get("show", ""), local_day(page_now()), near)
    return {
        "centre_id": parse_id(args.get("centre", "")),
        "words": one_line(args.get("q", ""), 100),
        "ends_from": first,
        "ends_to": last,
    }


@contract_pages.get("/contracts")
@access(*STAFF)
def contract_list() -> str:
    session, who, now, args = db.session(), current_principal(), page_now(), request.args
    show, policies, filters = args.get("show", ""), runtime().policies, list_filters()
    near = near_of(policies.latest(SUBJECT).body["warn_days"])
    lines: Any = []
    following = None
    narrow = {"centre_id": filters["centre_id"], "words": filters["words"]}
    if show == "none":
        without = views.numbers_without(session, who, policies, now, **narrow, cursor=args.get("cursor"))
        lines, following = without.items, without.next_cursor
    elif show == "faults":
        lines = views.faulty_numbers(session, who, policies, now, **narrow)
    else:
        sort = args.get("sort", "ends_on")
        page = views.list_contracts(session, who, **filters, sort=sort, cursor=args.get("cursor"))
        lines, following = views.contract_lines(session, page.items, policies, now), page.next_cursor
    return render_template(
        "contracts/list.html", **FOR_PAGES, lines=lines, next_cursor=following, show=show,
        shows=views.shows(near), figures=views.figures(session, who, near, now),
        centres=live_centres(session, who), sort=args.get("sort", "ends_on"), may_write=who.has_any(*WRITERS),
    )  # fmt: skip


@contract_pages.get("/contracts/calendar")
@access(*STAFF)
def calendar() -> str:
    session, who = db.session(), current_principal()
    try:
        first = dt.date.fromisoformat(request.args.get("from", "") + "-01")
        if not 2000 <= first.year <= 2098:
            raise ValueError
    except ValueError:
        first = local_day(page_now()).replace(day=1)
    centre = parse_id(request.args.get("centre", ""))
    return render_template(
        "contracts/calendar.html", **FOR_PAGES, today=local_day(page_now()), centres=live_centres(session, who),
        months=views.months_of(session, who, first, _MONTHS, centre_id=centre),
        before=views.month_after(first, -_MONTHS), after=views.month_after(first, _MONTHS),
    )  # fmt: skip


@contract_pages.get("/contracts/new")
@access(*WRITERS)
def new_page() -> str:
    return _new_form(request.args)


@contract_pages.post("/contracts")
@access(*WRITERS)
def enter() -> Response:
    form = request.form
    try:
        terms, number_id = terms_of_form(form), _number(form)
        row = service.enter(
            db.session(), current_principal(), number_id, terms, now=page_now(),
            renews_id=parse_id(form.get("renews", "")),
        )  # fmt: skip
    except DomainError as exc:
        db.session().rollback()
        return refused(exc, _new_form(form, exc))
    flash("合约已登记。", "success")
    return see_other(f"/contracts/{row.id}")


def _number(form: Mapping[str, str]) -> uuid.UUID:
    try:
        found = store.number_by_e164(db.session(), current_principal(), normal_e164(form.get("number", "")))
    except ValueError:
        found = None
    if found is None:
        text = "没有登记这个手机号"
        raise Invalid(text, fields=[FieldError("number", "invalid", text)])
    return found.id


def _new_form(texts: Mapping[str, str], refusal: DomainError | None = None) -> str:
    """Empty, or filled in from the contract that is renewed."""
    session, who = db.session(), current_principal()
    old_id = parse_id(texts.get("renews", ""))
    old = store.find(session, who, old_id) if old_id is not None else None
    values = dict(texts)
    if old is not None and refusal is None:
        day = dt.timedelta(days=1)
        values = {
            **_texts(old),
            "renews": str(old.id),
            "starts_on": str(old.ends_on + day),
            "ends_on": "",
            "note": "",
        }
        values["number"] = store.numbers(session, [old.number_id])[old.number_id].e164
    return render_template(
        "contracts/form.html", **FOR_PAGES, texts=values, refusal=refusal, old=old, row=None,
        numbers=[n.e164 for n in store.live_numbers(session, who, None)],
    )  # fmt: skip


def _texts(row: NumberContract) -> dict[str, str]:
    money = {"monthly_fen": row.monthly_fen, "handset_budget_fen": row.handset_budget_fen}
    plain = ("carrier", "plan_type", "plan_name", "starts_on", "ends_on", "registered_name", "note")
    texts = {name: str(getattr(row, name) or "") for name in plain}
    return {**texts, **{name: "" if fen is None else format_yuan(fen) for name, fen in money.items()}}


@contract_pages.get("/contracts/<uuid:contract_id>/edit")
@access(*WRITERS)
def edit_page(contract_id: uuid.UUID) -> str:
    row = store.find(db.session(), current_principal(), contract_id)
    return _edit_form(row, _texts(row))


@contract_pages.post("/contracts/<uuid:contract_id>/edit")
@access(*WRITERS)
def edit(contract_id: uuid.UUID) -> Response:
    session, who, form = db.session(), current_principal(), request.form
    try:
        terms = terms_of_form(form)
        service.change(
            session, who, contract_id, terms, version=version(), reason=form.get("reason", ""), now=page_now()
        )
    except NotFound:
        raise
    except DomainError as exc:
        session.rollback()
        return refused(exc, _edit_form(store.find(session, who, contract_id), form, exc))
    flash("合约已更正。", "success")
    return see_other(f"/contracts/{contract_id}")


def _edit_form(row: NumberContract, texts: Mapping[str, str], refusal: DomainError | None = None) -> str:
    number = store.numbers(db.session(), [row.number_id])[row.number_id]
    return render_template(
        "contracts/form.html", **FOR_PAGES, texts=texts, refusal=refusal, old=None, row=row, number=number
    )


@contract_pages.get("/contracts/<uuid:contract_id>")
@access(*STAFF)
def contract_page(contract_id: uuid.UUID) -> str:
    session, who, now = db.session(), current_principal(), page_now()
    row = store.find(session, who, contract_id)
    (line,) = views.contract_lines(session, [row], runtime().policies, now)
    chain = store.of_number(session, row.number_id)
    near = near_of(runtime().policies.latest(SUBJECT).body["warn_days"])
    assessments = work_store.assessments_of(session, row.id)
    live = work_store.live_assessment(session, row.id)
    return render_template(
        "contracts/contract.html", **FOR_PAGES, line=line, row=row, assessments=assessments, live=live,
        chain=[(c, *views.state_of(c, local_day(now), near)) for c in chain],
        names=names_of(session, [n for n in (row.created_by, row.voided_by) if n]),
        may_write=views.may_write(who, line.number) and row.voided_at is None,
        may_assess=live is None and row.voided_at is None
        and who.may(line.number.centre_id, *drafting_service.DESK),
    )  # fmt: skip


@contract_pages.post("/contracts/<uuid:contract_id>/void")
@access(*WRITERS)
def void(contract_id: uuid.UUID) -> Response:
    reason = request.form.get("reason", "")
    return act(
        "合约已作废。",
        f"/contracts/{contract_id}",
        lambda: service.void(
            db.session(), current_principal(), contract_id, version=version(), reason=reason, now=page_now()
        ),
    )


@contract_pages.post("/contracts/<uuid:contract_id>/file")
@access(*WRITERS, late_transaction=True)
def attach(contract_id: uuid.UUID) -> Response:
    """Read the whole file first, then open the transaction."""
    upload, here = request.files.get("file"), runtime()
    back = f"/contracts/{contract_id}"
    if upload is None or not upload.filename:
        flash("请先选择文件。", "warning")
        return see_other(back)
    data, name = upload.read(), upload.filename
    try:
        seen, session = version(), open_write()
        with session.begin_nested():
            service.attach(
                session, current_principal(), contract_id, data, name, version=seen, blobs=here.blobs,
                policies=here.policies, now=page_now(),
            )  # fmt: skip
    except DomainError as exc:
        flash(told(exc), "error")
        return see_other(back)
    flash("合同扫描件已保存。", "success")
    return see_other(back)


@contract_pages.get("/contracts/<uuid:contract_id>/file")
@access(*STAFF)
def contract_file(contract_id: uuid.UUID) -> Response:
    row = store.find(db.session(), current_principal(), contract_id)
    if row.file_sha256 is None or row.file_name is None:
        raise NotFound("没有上传合同扫描件 / no file")
    data, media_type = runtime().blobs.get(db.session(), row.file_sha256)
    suffix = row.file_name.rpartition(".")[2]
    return attachment(data, media_type, row.file_name, f"contract-{row.file_sha256[:12]}.{suffix}")


@contract_pages.post("/contracts/<uuid:contract_id>/assess")
@access(*drafting_service.DESK)
def assess(contract_id: uuid.UUID) -> Response:
    try:
        with db.session().begin_nested():
            row = drafting_service.open_assessment(
                db.session(), current_principal(), contract_id, policies=runtime().policies, now=page_now()
            )
    except DomainError as exc:
        flash(told(exc), "error")
        return see_other(f"/contracts/{contract_id}")
    return see_other(f"/contracts/assessments/{row.id}")
