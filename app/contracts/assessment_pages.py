"""The assessment of a phone at its contract's end: form, photos, two signatures (R06)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, flash, render_template, request

from app.contracts import assessment_service as signing
from app.contracts import drafting_service as drafting
from app.contracts import store, views, work_store
from app.contracts.contract_service import SUBJECT
from app.contracts.drafting_service import DESK, find_assessment
from app.contracts.forms import assessment_of_form
from app.contracts.listing import list_work
from app.contracts.model import Assessment
from app.contracts.pages import FOR_PAGES
from app.contracts.shared_pages import act, refused, told, version
from app.contracts.states import ASSESSMENT_WORDS, REQUEST_WORDS
from app.contracts.states import Assessment as State
from app.http.access import STAFF, access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.http.proving import signer_of_form
from app.http.transaction import open_write
from app.http.uploads import photos_of, send_picture
from app.kernel.db import db
from app.kernel.errors import DomainError, NotFound
from app.kernel.ids import parse_id
from app.papers import read_ink
from app.people import names_of
from app.policy import effective
from app.registry import live_centres
from app.runtime import runtime

assessment_pages = Blueprint("contract_assessment_pages", __name__)
_HOW = {"own_session": "本人登录并再次输入密码"}


@assessment_pages.get("/contracts/assessments")
@access(*STAFF)
def assessment_list() -> str:
    session, who, args = db.session(), current_principal(), request.args
    state = args.get("state", "")
    page = list_work(
        session, who, Assessment, wanted=[state] if state in list(State) else (),
        centre_id=parse_id(args.get("centre", "")), cursor=args.get("cursor"),
    )  # fmt: skip
    return render_template(
        "contracts/assessments.html", **FOR_PAGES, lines=views.work_lines(session, who, page.items),
        next_cursor=page.next_cursor, state=state, state_words=ASSESSMENT_WORDS,
        centres=live_centres(session, who), names=names_of(session, {r.opened_by for r in page.items}),
    )  # fmt: skip


@assessment_pages.get("/contracts/assessments/<uuid:assessment_id>")
@access(*STAFF)
def assessment_page(assessment_id: uuid.UUID) -> str:
    return _page(assessment_id)


def _page(
    assessment_id: uuid.UUID, refusal: DomainError | None = None, texts: Mapping[str, str] | None = None
) -> str:
    session, who = db.session(), current_principal()
    row = find_assessment(session, who, assessment_id)
    desk = who.may(row.centre_id, *DESK)
    actors = (row.opened_by, row.submitted_by, row.decided_by)
    policy = effective(session, runtime().policies, SUBJECT, row.centre_id).body
    return render_template(
        "contracts/assessment.html", **FOR_PAGES, row=row, about=signing.about_of(session, who, row),
        contract=store.find(session, who, row.contract_id), refusal=refusal, texts=texts, policy=policy,
        names=names_of(session, [a for a in actors if a]), word=ASSESSMENT_WORDS[State(row.state)],
        requests=work_store.requests_of(session, row.id), request_words=REQUEST_WORDS,
        live_request=work_store.live_request(session, row.id), desk=desk,
        may_submit=row.state == State.DRAFT and who.may(row.centre_id, *signing.ASSESSORS),
        may_confirm=row.state == State.SUBMITTED
        and who.may(row.centre_id, *signing.CONFIRMERS) and who.user != row.submitted_by,
    )  # fmt: skip


@assessment_pages.get("/contracts/assessments/<uuid:assessment_id>/pictures/<sha256>")
@access(*STAFF)
def picture(assessment_id: uuid.UUID, sha256: str) -> Response:
    """A photo of the assessment, or a signature under it."""
    row = find_assessment(db.session(), current_principal(), assessment_id)
    known = {photo["sha256"] for photo in row.photos} | {signed["ink"] for signed in row.signatures}
    if sha256 not in known:
        raise NotFound("没有这张照片 / no such photo")
    return send_picture(sha256)


@assessment_pages.post("/contracts/assessments/<uuid:assessment_id>/save")
@access(*DESK)
def save(assessment_id: uuid.UUID) -> Response:
    given = assessment_of_form(request.form)
    return _act(
        "已保存。", assessment_id,
        lambda s, p: drafting.fill(s, p, assessment_id, **given, version=version(), now=page_now()),
    )  # fmt: skip


@assessment_pages.post("/contracts/assessments/<uuid:assessment_id>/refresh")
@access(*DESK)
def refresh(assessment_id: uuid.UUID) -> Response:
    policies = runtime().policies
    return _act(
        "已换成最新的读取结果。", assessment_id,
        lambda s, p: drafting.refresh(s, p, assessment_id, version=version(), policies=policies, now=page_now()),
    )  # fmt: skip


@assessment_pages.post("/contracts/assessments/<uuid:assessment_id>/photos/<sha256>/drop")
@access(*DESK)
def drop(assessment_id: uuid.UUID, sha256: str) -> Response:
    return _act(
        "已去掉这张照片。", assessment_id,
        lambda s, p: drafting.drop_photo(s, p, assessment_id, sha256, version=version(), now=page_now()),
    )  # fmt: skip


@assessment_pages.post("/contracts/assessments/<uuid:assessment_id>/<any(send_back, cancel, void):step>")
@access(*DESK)
def end(assessment_id: uuid.UUID, step: str) -> Response:
    acts: dict[str, tuple[str, Callable[..., Any]]] = {
        "send_back": ("已退回，请评估人修改后重新签字。", signing.send_back),
        "cancel": ("评估已取消。", signing.cancel),
        "void": ("评估已作废。", signing.void),
    }
    done, perform = acts[step]
    reason = request.form.get("reason", "")
    return _act(
        done, assessment_id,
        lambda s, p: perform(s, p, assessment_id, reason=reason, version=version(), now=page_now()),
    )  # fmt: skip


def _act(done: str, assessment_id: uuid.UUID, perform: Callable[..., Any]) -> Response:
    return act(
        done,
        f"/contracts/assessments/{assessment_id}",
        lambda: perform(db.session(), current_principal()),
    )


@assessment_pages.post("/contracts/assessments/<uuid:assessment_id>/photos")
@access(*DESK, late_transaction=True)
def add_photos(assessment_id: uuid.UUID) -> Response:
    """Photos are read and shrunk before the transaction opens."""
    here, back = runtime(), f"/contracts/assessments/{assessment_id}"
    limit = here.policies.latest(SUBJECT).body["photos_max"]
    try:
        pictures, seen = photos_of(request.files.getlist("photos"), limit), version()
        session = open_write()
        with session.begin_nested():
            drafting.add_photos(
                session, current_principal(), assessment_id, pictures, request.form.get("caption", ""),
                version=seen, blobs=here.blobs, policies=here.policies, now=page_now(),
            )  # fmt: skip
    except DomainError as exc:
        flash(told(exc), "error")
        return see_other(back)
    flash("照片已保存。", "success")
    return see_other(back)


@assessment_pages.post("/contracts/assessments/<uuid:assessment_id>/submit")
@access(*signing.ASSESSORS, late_transaction=True)
def submit(assessment_id: uuid.UUID) -> Response:
    return _sign(
        assessment_id, "已签字，等待运营确认。",
        lambda session, given, seen: signing.submit(
            session, current_principal(), assessment_id, given, version=seen, blobs=runtime().blobs,
            now=page_now(),
        ),
    )  # fmt: skip


@assessment_pages.post("/contracts/assessments/<uuid:assessment_id>/confirm")
@access(*signing.CONFIRMERS, late_transaction=True)
def confirm(assessment_id: uuid.UUID) -> Response:
    here = runtime()
    return _sign(
        assessment_id, "已确认，评估单已生成。",
        lambda session, given, seen: signing.confirm(
            session, current_principal(), assessment_id, given, version=seen, blobs=here.blobs, keys=here.keys,
            now=page_now(),
        ),
    )  # fmt: skip


def _sign(assessment_id: uuid.UUID, done: str, perform: Callable[..., Any]) -> Response:
    """The password is looked at, and the try counted, before the transaction opens."""
    form = {"password": request.form.get("password", "")}
    try:
        ink, seen = read_ink(request.form.get("ink", "")), version()
        signer = signer_of_form(form)
        given = signing.Signing(signer.name, _HOW[signer.how], ink.png)
        perform(open_write(), given, seen)
    except DomainError as exc:
        db.session().rollback()
        return refused(exc, _page(assessment_id, exc, request.form))
    flash(done, "success")
    return see_other(f"/contracts/assessments/{assessment_id}")
