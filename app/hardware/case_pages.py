"""One case: the page, and every act on it, of the desk and of whom it concerns."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, flash, render_template, request
from sqlalchemy.orm import Session

from app.hardware import (
    appealing,
    deducting,
    forms,
    judging,
    losing,
    repairing,
    replacing,
    reporting,
    store,
    views,
)
from app.hardware.answering import may_report_own
from app.hardware.api import tools
from app.hardware.tools import FINANCE, MAX_PHOTOS, REPORTERS, SUBJECT, VIEWERS, case_path
from app.hardware.words import FOR_PAGES
from app.http.access import SIGNED_IN, access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.http.problems import STATUS
from app.http.transaction import open_write
from app.http.uploads import photos_of
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.ids import parse_id
from app.kernel.tenancy import SYSTEM, Principal
from app.kernel.texts import wrong
from app.policy import effective
from app.registry import Handset, find_handset, held_by

case_pages = Blueprint("hardware_case_pages", __name__)
OWN = "/my/cases"
Photos = tuple[bytes, ...]
Act = Callable[[Session, Principal, uuid.UUID, Mapping[str, str], Photos, dt.datetime], Any]

DESK_ACTS: Mapping[str, tuple[str, Act]] = {
    "judge": (
        "已认定，已通知本人。",
        lambda s, p, i, f, ph, now: judging.judge(s, p, tools(), i, forms.finding(f, ph), now),
    ),
    "repair": (
        "维修结果已登记。",
        lambda s, p, i, f, ph, now: repairing.record_repair(s, p, tools(), i, forms.repair(f, ph), now),
    ),
    "accept": (
        "新机已接受并接替原机，原机进入待销毁。",
        lambda s, p, i, f, _, now: replacing.accept(
            s, p, tools(), i, asset_tag=f.get("asset_tag", ""), reason=f.get("reason", ""), now=now
        ),
    ),
    "reject": (
        "新机已退回。",
        lambda s, p, i, f, _, now: replacing.reject(s, p, i, reason=f.get("reason", ""), now=now),
    ),
    "buy": (
        "购机已登记，新机接替原机，原机进入待销毁。",
        lambda s, p, i, f, ph, now: replacing.buy(s, p, tools(), i, forms.purchase(f, ph), now),
    ),
    "decide": (
        "申诉已决定，已通知本人。",
        lambda s, p, i, f, _, now: appealing.decide_appeal(
            s, p, tools(), i, allow=f.get("allow") == "yes", reason=f.get("reason", ""), now=now
        ),
    ),
    "find": (
        "已找回：待办已结束；有扣款的已全部退回。",
        lambda s, p, i, f, _, now: appealing.find_again(s, p, tools(), i, words=f.get("words", ""), now=now),
    ),
    "drop": (
        "事项已撤销。",
        lambda s, p, i, f, _, now: reporting.drop(s, p, i, reason=f.get("reason", ""), now=now),
    ),
}
PERSON_ACTS: Mapping[str, tuple[str, Act]] = {
    "state": (
        "陈述已保存。",
        lambda s, p, i, f, _, now: reporting.state_view(
            s, p, i, words=f.get("words", ""), disputed=f.get("disputed") == "yes", now=now
        ),
    ),
    "lost": (
        "已记入处置，待办随之结束。",
        lambda s, p, i, f, ph, now: losing.record_deed(s, p, tools(), i, forms.deed(f, ph), now),
    ),
    "offer": (
        "新机已提交，等待另一人核对。",
        lambda s, p, i, f, ph, now: replacing.offer(s, p, tools(), i, forms.offered(f, ph), now),
    ),
    "refuse": (
        "已转由中心购机。",
        lambda s, p, i, f, _, now: replacing.refuse(s, p, i, reason=f.get("reason", ""), now=now),
    ),
    "appeal": (
        "申诉已提交，由另一人决定；决定之前不扣款。",
        lambda s, p, i, f, _, now: appealing.file_appeal(s, p, i, words=f.get("words", ""), now=now),
    ),
}
MONEY_ACTS: Mapping[str, tuple[str, Act]] = {
    "take": (
        "当月扣款已确认并记账。",
        lambda s, p, i, f, _, now: deducting.confirm_month(s, p, i, forms.confirmed(f), now),
    ),
}


@case_pages.post(
    "/hardware/<uuid:case_id>/<any(judge, repair, accept, reject, buy, decide, find, drop, state, lost, offer,"
    " refuse, appeal):act>"
)
@access(*REPORTERS, late_transaction=True)
def act_at_desk(case_id: uuid.UUID, act: str) -> Response:
    """Each act checks for itself who may do it; what a person says is written down for him here."""
    return _act(
        {**DESK_ACTS, **PERSON_ACTS}, act, case_id, case_path(case_id), lambda e: case_page(case_id, e, act)
    )


@case_pages.post("/hardware/<uuid:case_id>/take")
@access(*FINANCE, late_transaction=True)
def take(case_id: uuid.UUID) -> Response:
    return _act(MONEY_ACTS, "take", case_id, case_path(case_id), lambda e: case_page(case_id, e, "take"))


@case_pages.post("/my/cases/<uuid:case_id>/<any(state, lost, offer, refuse, appeal):act>")
@access(*SIGNED_IN, late_transaction=True)
def act_on_own(case_id: uuid.UUID, act: str) -> Response:
    return _act(PERSON_ACTS, act, case_id, OWN, lambda e: _mine(e, act, case_id))


def _act(
    acts: Mapping[str, tuple[str, Act]],
    act: str,
    case_id: uuid.UUID,
    home: str,
    again: Callable[[DomainError], str],
) -> Response:
    done, perform = acts[act]
    try:
        photos = tuple(p.data for p in photos_of(request.files.getlist("photos"), MAX_PHOTOS))
        perform(open_write(), current_principal(), case_id, request.form, photos, page_now())
    except DomainError as exc:
        db.session().rollback()
        return refused(exc, again(exc))
    flash(done, "success")
    return see_other(home)


def refused(error: DomainError, page: str) -> Response:
    """The page again with what is wrong. A status of 400 or more makes the edge write nothing."""
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    return Response(page, status=status, content_type="text/html; charset=utf-8")


def case_page(case_id: uuid.UUID, refusal: DomainError | None = None, act: str = "") -> str:
    """The desk's page of a case; after a refusal with what was typed."""
    session, who, now = db.session(), current_principal(), page_now()
    found = views.detail(session, who, tools(), case_id, now)
    return render_template(
        "hardware/case.html", found=found, people=store.choice_of_people(session, who, found.line.case.centre_id),
        may_finance=who.may(found.line.case.centre_id, *VIEWERS), **_with(found.line.case.centre_id, refusal, act),
    )  # fmt: skip


def _with(centre_id: uuid.UUID | None, refusal: DomainError | None, act: str) -> dict[str, Any]:
    session, now = db.session(), page_now()
    files = tools().policies
    body = effective(session, files, SUBJECT, centre_id).body if centre_id else files.latest(SUBJECT).body
    return {
        "texts": request.form if refusal else {}, "refusal": refusal, "refused_act": act, "policy": body,
        "today": forms.local(now)[:10], "now_local": forms.local(now), "max_photos": MAX_PHOTOS, **FOR_PAGES,
    }  # fmt: skip


@case_pages.get(OWN)
@access(*SIGNED_IN)
def my_cases() -> str:
    return _mine()


@case_pages.post("/my/cases/new")
@access(*SIGNED_IN, late_transaction=True)
def report_own() -> Response:
    try:
        photos = photos_of(request.files.getlist("photos"), MAX_PHOTOS)
        session, who, now = open_write(), current_principal(), page_now()
        named = parse_id(request.form.get("handset", ""))
        if named is None:
            raise wrong("handset", "请选择手机")
        phone = find_handset(session, who, named)
        given = forms.report(request.form, phone.id, tuple(p.data for p in photos))
        reporting.report(session, who, tools(), given, now)
    except DomainError as exc:
        db.session().rollback()
        return refused(exc, _mine(exc, "new"))
    flash("已登记，请在下面写明您的陈述。", "success")
    return see_other(OWN)


def _mine(refusal: DomainError | None = None, act: str = "", case_id: uuid.UUID | None = None) -> str:
    session, who, now = db.session(), current_principal(), page_now()
    cases = views.own_cases(session, who, tools(), now)
    phones = held_by(session, SYSTEM, who.employee, now) if who.employee else []
    running = {found.line.case.handset_id for found in cases if found.line.case.ended_at is None}
    free = [
        p.handset_id
        for p in phones
        if p.handset_id not in running
        and who.employee is not None
        and may_report_own(session, p.handset_id, who.employee, now)
    ]
    return render_template(
        "hardware/mine.html", cases=cases, known=who.employee is not None, refused_case=case_id,
        phones=list(store.rows_of(session, Handset, free).values()), **_with(None, refusal, act),
    )  # fmt: skip
