"""Replacement requests for people: ask, approve, buy, put in place (R06)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, flash, render_template, request

from app.contracts import assessment_service, purchase_service, store, views
from app.contracts import request_service as service
from app.contracts.documents import VERDICTS
from app.contracts.drafting_service import find_assessment
from app.contracts.forms import bought_of_form, wanted_of_form
from app.contracts.listing import list_work
from app.contracts.model import Assessment, ReplacementRequest
from app.contracts.pages import FOR_PAGES
from app.contracts.rules import local_day, over_budget
from app.contracts.shared_pages import act, refused
from app.contracts.states import REQUEST_WORDS
from app.contracts.states import Request as State
from app.http.access import STAFF, access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.ids import parse_id
from app.people import names_of
from app.registry import Handset, find_handset, live_centres
from app.runtime import runtime

request_pages = Blueprint("replacement_request_pages", __name__)
DECIDERS = (*service.DESK, *service.SECOND)


@request_pages.get("/contracts/requests")
@access(*STAFF)
def request_list() -> str:
    session, who, args = db.session(), current_principal(), request.args
    state = args.get("state", "")
    page = list_work(
        session, who, ReplacementRequest, wanted=[state] if state in list(State) else (),
        centre_id=parse_id(args.get("centre", "")), cursor=args.get("cursor"),
    )  # fmt: skip
    return render_template(
        "contracts/requests.html", **FOR_PAGES, lines=views.work_lines(session, who, page.items),
        next_cursor=page.next_cursor, state=state, state_words=REQUEST_WORDS,
        centres=live_centres(session, who), names=names_of(session, {r.requested_by for r in page.items}),
    )  # fmt: skip


@request_pages.get("/contracts/assessments/<uuid:assessment_id>/request")
@access(*service.DESK)
def new_page(assessment_id: uuid.UUID) -> str:
    return _new_form(assessment_id, {})


@request_pages.post("/contracts/assessments/<uuid:assessment_id>/request")
@access(*service.DESK)
def ask(assessment_id: uuid.UUID) -> Response:
    session, who = db.session(), current_principal()
    found = find_assessment(session, who, assessment_id)
    try:
        row = service.ask(
            session, who, found.id, wanted_of_form(request.form), policies=runtime().policies, now=page_now()
        )
    except DomainError as exc:
        session.rollback()
        return refused(exc, _new_form(assessment_id, request.form, exc))
    flash("换机申请已提交，等待另一人批准。", "success")
    return see_other(f"/contracts/requests/{row.id}")


def _new_form(assessment_id: uuid.UUID, texts: Mapping[str, str], refusal: DomainError | None = None) -> str:
    session, who = db.session(), current_principal()
    found = find_assessment(session, who, assessment_id)
    contract = store.last_of(session, [found.number_id]).get(found.number_id)
    old = find_handset(session, who, found.handset_id)
    return render_template(
        "contracts/request_new.html", **FOR_PAGES, texts=texts, refusal=refusal, assessment=found, old=old,
        about=assessment_service.about_of(session, who, found), contract=contract,
        specification="; ".join(f"{name}={value}" for name, value in old.specification.items()),
    )  # fmt: skip


@request_pages.get("/contracts/requests/<uuid:request_id>")
@access(*STAFF)
def request_page(request_id: uuid.UUID) -> str:
    return _page(request_id)


def _page(
    request_id: uuid.UUID, refusal: DomainError | None = None, texts: Mapping[str, str] | None = None
) -> str:
    session, who = db.session(), current_principal()
    row = service.find_request(session, who, request_id)
    found = session.get_one(Assessment, row.assessment_id)
    actors = (row.requested_by, row.approved_by, row.second_by, row.ended_by, row.bought_by)
    buys = row.state == State.APPROVED and who.may(row.centre_id, *purchase_service.BUYERS)
    return render_template(
        "contracts/request.html", **FOR_PAGES, row=row, about=assessment_service.about_of(session, who, found),
        word=REQUEST_WORDS[State(row.state)], over=over_budget(row.price_fen, row.budget_fen),
        names=names_of(session, [a for a in actors if a]), verdicts=VERDICTS, acts=_acts(row),
        buys=buys, spares=store.spares(session, who, row.centre_id, page_now()) if buys else [],
        new_tag=store.labels(session, Handset, [row.new_handset_id]).get(row.new_handset_id, "")
        if row.new_handset_id else "",
        refusal=refusal, texts=texts or {}, today=local_day(page_now()),
    )  # fmt: skip


def _acts(row: ReplacementRequest) -> list[str]:
    """What the one who looks may do now."""
    who = current_principal()
    desk, second = who.may(row.centre_id, *service.DESK), who.may(row.centre_id, *service.SECOND)
    buyer = who.may(row.centre_id, *purchase_service.BUYERS)
    mine = who.user == row.requested_by
    found: list[str] = []
    if row.state == State.REQUESTED and desk and not mine:
        found += ["approve", "reject"]
    if row.state == State.SECOND and second and not mine and who.user != row.approved_by:
        found += ["approve", "reject"]
    if row.state in (State.REQUESTED, State.SECOND) and desk:
        found.append("withdraw")
    if row.state == State.APPROVED and desk:
        found.append("cancel")
    if row.state == State.BOUGHT and buyer:
        found += ["replace", "undo_buy"]
    return found


@request_pages.post("/contracts/requests/<uuid:request_id>/<any(approve, reject, withdraw, cancel):step>")
@access(*DECIDERS)
def decide(request_id: uuid.UUID, step: str) -> Response:
    """Each act checks for itself who may do it."""
    session, who, note = db.session(), current_principal(), request.form.get("reason", "")
    here, now = runtime(), page_now()
    acts: dict[str, tuple[str, Callable[[], Any]]] = {
        "approve": (
            "已批准。",
            lambda: service.approve(session, who, request_id, note=note, keys=here.keys, now=now),
        ),
        "reject": ("已驳回。", lambda: service.reject(session, who, request_id, reason=note, now=now)),
        "withdraw": (
            "申请已撤回。",
            lambda: service.withdraw(session, who, request_id, reason=note, now=now),
        ),
        "cancel": ("申请已取消。", lambda: service.cancel(session, who, request_id, reason=note, now=now)),
    }
    done, perform = acts[step]
    return act(done, f"/contracts/requests/{request_id}", perform)


@request_pages.post("/contracts/requests/<uuid:request_id>/buy")
@access(*purchase_service.BUYERS)
def buy(request_id: uuid.UUID) -> Response:
    session, who = db.session(), current_principal()
    row = service.find_request(session, who, request_id)
    try:
        given = bought_of_form(request.form)
        purchase_service.buy(session, who, row.id, given, policies=runtime().policies, now=page_now())
    except DomainError as exc:
        session.rollback()
        return refused(exc, _page(request_id, exc, request.form))
    flash("购买已登记。", "success")
    return see_other(f"/contracts/requests/{request_id}")


@request_pages.post("/contracts/requests/<uuid:request_id>/<any(replace, undo_buy):step>")
@access(*purchase_service.BUYERS)
def finish(request_id: uuid.UUID, step: str) -> Response:
    session, who, now = db.session(), current_principal(), page_now()
    reason = request.form.get("reason", "")
    if step == "replace":
        done = "已换机。原手机列入待销毁清单；工作信息转移并核实之前不销毁数据。"
        return act(
            done,
            f"/contracts/requests/{request_id}",
            lambda: purchase_service.replace(session, who, request_id, now=now),
        )
    return act(
        "购买登记已撤销。",
        f"/contracts/requests/{request_id}",
        lambda: purchase_service.undo_buy(session, who, request_id, reason=reason, now=now),
    )
