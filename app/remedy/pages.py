"""Cases for the desk, one case with all its acts, and a butler's own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, flash, render_template, request

from app.compliance import evidence_lines
from app.http.access import SIGNED_IN, access
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.pages import page_now, see_other
from app.http.problems import STATUS
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.ids import parse_id
from app.kernel.texts import one_line
from app.registry import live_centres
from app.remedy import dismissing, ordering, restoring, store, views
from app.remedy.exporting import workbook
from app.remedy.hook import tools
from app.remedy.states import OPEN, STATE_WORDS, State
from app.remedy.tools import ORDERERS, VIEWERS, case_path
from app.remedy.words import OUTCOMES, STEPS, WHY, code_words, severity_words

remedy_pages = Blueprint("remedy_pages", __name__)
_EXPORTED = 200
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ACTIVE, _OPEN = "active", "open"
"""Filters: what somebody has to do something about, and every state that is not over."""
_STATES: Mapping[str, list[str]] = {
    _OPEN: [str(s) for s in OPEN],
    _ACTIVE: [str(s) for s in OPEN if s != State.EARLY],
}
_WORDS: Mapping[str, Any] = {
    "state_words": STATE_WORDS, "code_words": code_words, "severity_words": severity_words, "why_words": WHY,
    "step_words": STEPS, "outcome_words": OUTCOMES, "open_states": OPEN,
    "evidence_lines": evidence_lines,
}  # fmt: skip


@remedy_pages.get("/remedies")
@access(*VIEWERS)
def remedies() -> str:
    session, who, now, args = db.session(), current_principal(), page_now(), request.args
    page = views.page_of(
        session, who, sort=args.get("sort", ""), cursor=args.get("cursor") or None, **_filters(args)
    )
    return render_template(
        "remedy/list.html", lines=views.lines(session, who, tools(), page.items, now), next_cursor=page.next_cursor,
        counts=store.state_counts(session, who), centres=live_centres(session, who), sort=args.get("sort", "-opened"),
        codes=store.codes(session, who), wanted=args.get("state", _ACTIVE),
        filtered=any(args.get(n) for n in ("q", "code", "centre", "phone")) or "state" in args, **_WORDS,
    )  # fmt: skip


def _filters(args: Mapping[str, str]) -> dict[str, Any]:
    """What is to be done, unless another state, or all, is asked for."""
    state, phone = args.get("state", _ACTIVE), args.get("phone", "").strip()
    handset = parse_id(phone) or (
        store.phone_by_tag(db.session(), current_principal(), phone) if phone else None
    )
    return {
        "states": _STATES.get(state) or ([state] if state in set(State) else []),
        "code": one_line(args.get("code", ""), 60) or None,
        "centre_id": parse_id(args.get("centre", "")),
        # A tag that there is not finds nothing, and not all.
        "handset_id": handset or (uuid.UUID(int=0) if phone else None),
        "words": one_line(args.get("q", ""), 100),
    }


@remedy_pages.get("/remedies.xlsx")
@access(*VIEWERS)
def export() -> Response:
    """The list as filtered, all pages of it."""
    session, who, now, args = db.session(), current_principal(), page_now(), request.args
    found: list[views.Line] = []
    cursor = None
    while True:
        page = views.page_of(
            session, who, sort=args.get("sort", ""), cursor=cursor, limit=_EXPORTED, **_filters(args)
        )
        found += views.lines(session, who, tools(), page.items, now)
        cursor = page.next_cursor
        if cursor is None:
            break
    note_reading("remedies", filters=args, count=len(found), action="remedy.exported")
    answer = Response(workbook(found), content_type=_XLSX)
    answer.headers["Content-Disposition"] = "attachment; filename=remedies.xlsx"
    return answer


@remedy_pages.get("/remedies/<uuid:case_id>")
@access(*VIEWERS)
def one_remedy(case_id: uuid.UUID) -> str:
    return _page(case_id)


def _page(case_id: uuid.UUID, refusal: DomainError | None = None, act: str = "") -> str:
    found = views.case_view(db.session(), current_principal(), tools(), case_id, page_now())
    return render_template(
        "remedy/case.html", found=found, refusal=refusal, refused_act=act, texts=request.form, **_WORDS
    )


def _ordered(case_id: uuid.UUID, form: Mapping[str, str]) -> None:
    ordering.order(
        db.session(), current_principal(), tools(), case_id, reason=form.get("reason", ""),
        accept_loss=form.get("accept_loss") == "yes", now=page_now(),
    )  # fmt: skip


def _by(act: Callable[..., Any]) -> Callable[[uuid.UUID, Mapping[str, str]], None]:
    def perform(case_id: uuid.UUID, form: Mapping[str, str]) -> None:
        reason = form.get("reason", "")
        act(db.session(), current_principal(), tools(), case_id, reason=reason, now=page_now())

    return perform


ACTS: Mapping[str, tuple[str, Callable[[uuid.UUID, Mapping[str, str]], None]]] = {
    "order": ("已下令移除，等网关执行；完成后会再读一次手机核实。", _ordered),
    "cancel": ("已取消，手机没有任何变化。", _by(ordering.cancel)),
    "dismiss": ("已搁置；到期仍不合规会再提出来。它在合规检查里仍是不合规。", _by(dismissing.dismiss)),
    "restore": ("已下令恢复，等网关执行。", _by(restoring.restore)),
}


@remedy_pages.post("/remedies/<uuid:case_id>/<any(order, cancel, dismiss, restore):act>")
@access(*ORDERERS)
def act_on_remedy(case_id: uuid.UUID, act: str) -> Response:
    """Each act checks for itself who may do it."""
    done, perform = ACTS[act]
    try:
        perform(case_id, request.form)
    except DomainError as exc:
        db.session().rollback()
        status = next(code for kind, code in STATUS.items() if isinstance(exc, kind))
        return Response(_page(case_id, exc, act), status=status, content_type="text/html; charset=utf-8")
    flash(done, "success")
    return see_other(case_path(case_id))


@remedy_pages.get("/my/remedies")
@access(*SIGNED_IN)
def my_remedies() -> str:
    session, who, now = db.session(), current_principal(), page_now()
    return render_template(
        "remedy/mine.html", known=who.employee is not None, cases=views.own_cases(session, who, tools(), now),
        **_WORDS,
    )  # fmt: skip
