"""The board of wipes, a new one, and one wipe with all that is known of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from flask import Blueprint, Response, render_template, request

from app.hardware import waiting_of
from app.http.access import access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.http.problems import STATUS
from app.http.uploads import send_picture
from app.kernel.db import db
from app.kernel.errors import DomainError, NotFound
from app.kernel.ids import parse_id
from app.kernel.texts import one_line
from app.registry import find_handset, live_centres
from app.transfer import transfer_state
from app.wipe import store, views
from app.wipe.drafting import open_wipe
from app.wipe.hook import tools
from app.wipe.inspection_views import panel
from app.wipe.page_words import FOR_PAGES
from app.wipe.states import State
from app.wipe.tools import ASKERS, VIEWERS, policy_of, wipe_path

wipe_pages = Blueprint("wipe_pages", __name__)
MAX_PHOTOS = 1


@wipe_pages.get("/wipes")
@access(*VIEWERS)
def wipes() -> str:
    session, who, args = db.session(), current_principal(), request.args
    centre_id, state = parse_id(args.get("centre", "")), args.get("state", "")
    page = views.board(
        session, who, states=_states(state), centre_id=centre_id, words=one_line(args.get("q", ""), 100),
        by_tag=args.get("sort") == "tag", cursor=args.get("cursor") or None,
    )  # fmt: skip
    return render_template(
        "wipe/list.html", lines=page.items, next_cursor=page.next_cursor, state=state,
        counts=store.state_counts(session, who, centre_id), running=views.RUNNING, ended=views.OVER,
        centres=live_centres(session, who), filtered=any(args.get(name) for name in ("q", "state", "centre")),
        **FOR_PAGES,
    )  # fmt: skip


def _states(state: str) -> Sequence[str]:
    """What a filter asks for; without one, all that is not over and done."""
    if state in set(State):
        return (state,)
    return {"all": tuple(State), "ended": views.OVER}.get(state, views.RUNNING)


@wipe_pages.get("/wipes/new")
@access(*ASKERS)
def new_wipe() -> str:
    session, who = db.session(), current_principal()
    named = parse_id(request.args.get("handset", ""))
    if named is None:
        raise NotFound("没有这台手机 / no such phone")
    phone = find_handset(session, who, named)
    return render_template(
        "wipe/new.html", phone=phone, disposal=waiting_of(session, phone.id), standing=store.open_of(session, phone.id),
        moved=transfer_state(session, phone.id), **FOR_PAGES,
    )  # fmt: skip


@wipe_pages.post("/wipes/new")
@access(*ASKERS)
def open_new() -> Response:
    """A draft: nothing happens to the phone. One that stands open is shown instead."""
    named = parse_id(request.form.get("handset", ""))
    if named is None:
        raise NotFound("没有这台手机 / no such phone")
    wipe = open_wipe(db.session(), current_principal(), tools(), named, now=page_now())
    return see_other(wipe_path(wipe.id))


@wipe_pages.get("/wipes/<uuid:wipe_id>")
@access(*VIEWERS)
def one_wipe(wipe_id: uuid.UUID) -> str:
    return wipe_page(wipe_id)


@wipe_pages.get("/wipes/<uuid:wipe_id>/proof")
@access(*VIEWERS)
def proof_photo(wipe_id: uuid.UUID) -> Response:
    """The picture of `*#06#` that was taken before a reset by hand."""
    wipe = store.find(db.session(), current_principal(), wipe_id)
    if wipe.proof_photo is None:
        raise NotFound("没有这张照片 / no such photo")
    return send_picture(wipe.proof_photo)


def wipe_page(wipe_id: uuid.UUID, refusal: DomainError | None = None, act: str = "") -> str:
    """One wipe; after a refusal with what was typed into the form of that act, but for codes."""
    session, who, now = db.session(), current_principal(), page_now()
    found = views.detail(session, who, tools(), wipe_id, now)
    typed: Mapping[str, str] = request.form if refusal else {}
    return render_template(
        "wipe/wipe.html", found=found, wipe=found.wipe, texts=typed, refusal=refusal, refused_act=act,
        policy=policy_of(session, tools(), found.wipe.centre_id).body,
        **panel(session, who, tools(), found.wipe), **FOR_PAGES,
    )  # fmt: skip


def refused(error: DomainError, page: str) -> Response:
    """The page again with what is wrong. A status of 400 or more makes the edge write nothing."""
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    return Response(page, status=status, content_type="text/html; charset=utf-8")
