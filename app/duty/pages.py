"""Delegations and excuses for the desk, and a butler's own."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, flash, render_template, request

from app.duty import delegations as given
from app.duty import excuses as filed
from app.duty import listing, store, views
from app.duty.messages import REASONS
from app.duty.states import STATE_WORDS
from app.http.access import SIGNED_IN, STAFF, access
from app.http.identity import current_principal
from app.http.pages import SHANGHAI, local_path, page_now, see_other
from app.http.problems import STATUS
from app.kernel.db import db
from app.kernel.errors import DomainError, FieldError, Invalid
from app.kernel.ids import parse_id
from app.kernel.texts import one_line
from app.runtime import runtime

duty_pages = Blueprint("duty_pages", __name__)
_TAGS = 2000
_OWN = 50
_EXCUSES_DAYS = 62
_PARTIES = ("operations", "lead", "butler")

DELEGATION_ACTS: Mapping[str, tuple[str, Callable[..., Any]]] = {
    "accept": ("已接受委托。", lambda s, p, i, note, now: given.accept(s, p, i, answer=note, now=now)),
    "decline": ("已拒绝委托。", lambda s, p, i, note, now: given.decline(s, p, i, answer=note, now=now)),
    "withdraw": ("已撤回委托。", lambda s, p, i, _, now: given.withdraw(s, p, i, now=now)),
    "return": (
        "已归还，手机重新由保管人负责。",
        lambda s, p, i, note, now: given.give_back(s, p, i, note=note, now=now),
    ),
    "void": ("委托已作废。", lambda s, p, i, note, now: given.void(s, p, i, reason=note, now=now)),
}
EXCUSE_ACTS: Mapping[str, tuple[str, Callable[..., Any]]] = {
    "approve": ("已批准。", lambda s, p, i, note, now: filed.approve(s, p, i, note=note, now=now)),
    "reject": ("已标为不批准。", lambda s, p, i, note, now: filed.reject(s, p, i, note=note, now=now)),
    "withdraw": ("已撤回登记。", lambda s, p, i, _, now: filed.withdraw_excuse(s, p, i, now=now)),
    "close": (
        "已结束，手机从现在起重新要求开机。",
        lambda s, p, i, note, now: filed.close(s, p, i, note=note, now=now),
    ),
    "void": ("已作废。", lambda s, p, i, note, now: filed.void_excuse(s, p, i, reason=note, now=now)),
}


@duty_pages.get("/duty")
@access(*STAFF)
def duty() -> str:
    session, who, now, args = db.session(), current_principal(), page_now(), request.args
    excuses = args.get("show") == "excuses"
    kind = "Excuse" if excuses else "Delegation"
    words = {state: word for (of, state), word in STATE_WORDS.items() if of == kind}
    state = args.get("state", "")
    wanted: dict[str, Any] = {
        "wanted": [state] if state in words else [],
        "centre_id": parse_id(args.get("centre", "")),
        "words": one_line(args.get("q", ""), 100),
        "cursor": args.get("cursor"),
    }
    lines: Sequence[views.ExcuseLine] | Sequence[views.DelegationLine]
    if excuses:
        filed_page = listing.excuses(session, who, now, **wanted)
        lines, following = views.excuse_lines(session, who, filed_page.items, now), filed_page.next_cursor
    else:
        page = listing.delegations(session, who, now, **wanted)
        lines, following = views.delegation_lines(session, who, page.items, now), page.next_cursor
    return render_template(
        "duty/list.html", lines=lines, next_cursor=following, excuses=excuses, state_words=words, state=state,
        centres=store.centres(session, who), may_file=who.has_any(*filed.FILERS),
        may_entrust=who.has_any(*given.DESK),
    )  # fmt: skip


@duty_pages.get("/my/duty")
@access(*SIGNED_IN)
def my_duty() -> str:
    session, who, now = db.session(), current_principal(), page_now()
    phones = store.phones_of(session, who.employee, now) if who.employee else []
    rows = store.concerning(session, who.employee, now, _OWN) if who.employee else []
    since = now - dt.timedelta(days=_EXCUSES_DAYS)
    excuses = store.excuses_of(session, [phone.id for phone in phones], since) if phones else []
    return render_template(
        "duty/mine.html", known=who.employee is not None, phones=phones,
        lines=views.delegation_lines(session, who, rows, now),
        excuses=views.excuse_lines(session, who, excuses, now),
    )  # fmt: skip


@duty_pages.get("/duty/delegations/new")
@access(*_PARTIES)
def new_delegation() -> str:
    return _delegation_form(request.args)


@duty_pages.post("/duty/delegations")
@access(*_PARTIES)
def propose() -> Response:
    form = request.form
    try:
        handset_id = _phone(form)
        post_id = parse_id(form.get("post", ""))
        if post_id is None:
            raise _wrong("post", "请选择岗位")
        wanted = given.Wanted(
            handset_id, post_id, _instant(form, "starts_at"), _instant(form, "ends_at"), form.get("note", "")
        )
        who = current_principal()
        given.propose(db.session(), who, wanted, policies=runtime().policies, now=page_now())
    except DomainError as exc:
        db.session().rollback()
        return _refused(exc, _delegation_form(form, exc))
    flash("委托已提出，对方接受后才生效；在此之前手机仍由保管人负责。", "success")
    return _back("/my/duty" if who.employee and not who.has_any(*store.DESK) else "/duty")


def _delegation_form(texts: Mapping[str, str], refusal: DomainError | None = None) -> str:
    session, who, now = db.session(), current_principal(), page_now()
    at_desk = who.has_any(*given.DESK)
    own = store.phones_of(session, who.employee, now) if who.employee else []
    theirs = store.held_posts(session, who, None, now)
    if not at_desk:
        theirs = [(post, holder) for post, holder in theirs if holder.id != who.employee]
    return render_template(
        "duty/entrust.html", texts=texts, refusal=refusal, own=own, at_desk=at_desk,
        tags=store.phone_tags(session, who, _TAGS) if at_desk else [],
        posts=theirs, start=_local(now),
    )  # fmt: skip


@duty_pages.get("/duty/excuses/new")
@access(*filed.FILERS)
def new_excuse() -> str:
    return _excuse_form(request.args)


@duty_pages.post("/duty/excuses")
@access(*filed.FILERS)
def file_excuse() -> Response:
    form = request.form
    try:
        if form.get("reason") not in REASONS:
            raise _wrong("reason", "请选择保养或维修")
        end = _instant(form, "ends_at") if form.get("ends_at") else None
        wanted = filed.Filed(
            _phone(form), form["reason"], _instant(form, "starts_at"), end, form.get("note", "")
        )
        row = filed.file_excuse(
            db.session(), current_principal(), wanted, policies=runtime().policies, now=page_now()
        )
    except DomainError as exc:
        db.session().rollback()
        return _refused(exc, _excuse_form(form, exc))
    waits = row.state == "pending"
    flash("已登记，等待另一人批准。" if waits else "已登记，立即有效。", "success")
    return _back("/duty?show=excuses")


def _excuse_form(texts: Mapping[str, str], refusal: DomainError | None = None) -> str:
    session, who = db.session(), current_principal()
    return render_template(
        "duty/excuse.html", texts=texts, refusal=refusal, reasons=REASONS,
        tags=store.phone_tags(session, who, _TAGS), start=_local(page_now()),
        policy=runtime().policies.latest("duty").body,
    )  # fmt: skip


@duty_pages.post("/duty/delegations/<uuid:delegation_id>/<any(accept, decline, withdraw, return, void):act>")
@access(*_PARTIES)
def act_on_delegation(delegation_id: uuid.UUID, act: str) -> Response:
    """Each act checks for itself who may do it."""
    return _act(DELEGATION_ACTS, act, delegation_id, "/duty")


@duty_pages.post("/duty/excuses/<uuid:excuse_id>/<any(approve, reject, withdraw, close, void):act>")
@access(*filed.FILERS)
def act_on_excuse(excuse_id: uuid.UUID, act: str) -> Response:
    return _act(EXCUSE_ACTS, act, excuse_id, "/duty?show=excuses")


def _act(
    acts: Mapping[str, tuple[str, Callable[..., Any]]], act: str, row_id: uuid.UUID, home: str
) -> Response:
    done, perform = acts[act]
    session = db.session()
    try:
        # Only what the act did is undone by a refusal: the form's key stays, and its answer with it.
        with session.begin_nested():
            perform(session, current_principal(), row_id, request.form.get("note", ""), page_now())
    except DomainError as exc:
        flash(exc.detail, "error")
        return _back(home)
    flash(done, "success")
    return _back(home)


def _back(home: str) -> Response:
    back = local_path(request.form.get("back"))
    return see_other(back if back != "/" else home)


def _phone(form: Mapping[str, str]) -> uuid.UUID:
    """The phone by its asset tag, as people know it."""
    found = store.phone_by_tag(db.session(), current_principal(), form.get("phone", "").strip())
    if found is None:
        raise _wrong("phone", "没有这个资产编号的手机")
    return found


def _instant(form: Mapping[str, str], name: str) -> dt.datetime:
    """What a browser's control for date and time says, as Shanghai's time."""
    try:
        local = dt.datetime.fromisoformat(form.get(name, ""))
        if not 2000 <= local.year <= 2100 or local.tzinfo is not None:
            raise ValueError
    except ValueError:
        raise _wrong(name, "请填写时间") from None
    return local.replace(tzinfo=SHANGHAI).astimezone(dt.UTC)


def _local(instant: dt.datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")


def _wrong(field: str, text: str) -> Invalid:
    return Invalid(text, fields=[FieldError(field, "invalid", text)])


def _refused(error: DomainError, page: str) -> Response:
    """The form again with what is wrong. A status of 400 or more makes the edge write nothing."""
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    return Response(page, status=status, content_type="text/html; charset=utf-8")
