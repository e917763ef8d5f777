"""The escrow for the desk. A secret is shown in two places only: drawn for who files it, and revealed, once each."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import Blueprint, Response, flash, render_template, request

from app.escrow import filing, lock_views, revealing, store, views
from app.escrow.entry import blind_check, telling_of_damage
from app.escrow.rights import FILERS
from app.http.access import access
from app.http.identity import current_principal, own_session, sign_in_limits
from app.http.pages import local_path, page_now, see_other
from app.http.problems import Problem
from app.http.transaction import answer_is_secret, open_write, write_apart
from app.kernel.db import db
from app.kernel.errors import DomainError, Invalid, NotFound
from app.kernel.ids import parse_id
from app.kernel.texts import one_line
from app.people import check_code, code_keys, take_try, was_right, wrong_code
from app.registry import live_centres
from app.runtime import runtime

escrow_pages = Blueprint("escrow_pages", __name__)
_SEERS = ("operations", "lead", "it", "auditor")


@escrow_pages.get("/escrow")
@access(*_SEERS)
def escrow() -> str:
    session, who, args = db.session(), current_principal(), request.args
    of = args.get("of", "handset")
    of = of if of in store.SUBJECTS else "handset"
    page = views.kits(
        session, who, of, policies=runtime().policies, centre_id=parse_id(args.get("centre", "")),
        words=one_line(args.get("q", ""), 100), cursor=args.get("cursor"),
    )  # fmt: skip
    return render_template(
        "escrow/list.html", lines=page.items, next_cursor=page.next_cursor, of=of, of_words=views.OF_WORDS,
        status=views.status(session, runtime().vault), figures=store.figures(session, who),
        centres=live_centres(session, who), may_file=who.has_any(*FILERS),
    )  # fmt: skip


@escrow_pages.get("/escrow/secrets/<uuid:secret_id>")
@access(*_SEERS)
def one_secret(secret_id: uuid.UUID) -> str:
    session = db.session()
    who, here = current_principal(), runtime()
    found = views.detail(session, who, secret_id, policies=here.policies, now=page_now())
    lock = lock_views.panel(session, who, secret_id)
    return render_template(
        "escrow/secret.html", found=found, status=views.status(session, here.vault), lock=lock
    )


@escrow_pages.get("/escrow/file")
@access(*FILERS)
def file_form() -> str:
    return _form(request.args.get("of", ""), request.args.get("subject", ""), request.args.get("kind", ""))


@escrow_pages.post("/escrow/file")
@access(*FILERS, late_transaction=True)
def file_secret() -> Response | str:
    form = request.form
    of, subject_id = form.get("of", ""), parse_id(form.get("subject", ""))
    draws = form.get("how") == "draw"
    text = None if draws else form.get("text", "")
    try:
        if of not in store.SUBJECTS or subject_id is None:
            raise NotFound("没有这台手机、号码或微信号")
        if text is not None and text != form.get("again", ""):
            raise Invalid("两次输入的密码不一样")
        filed = filing.Filed(
            of, subject_id, form.get("kind", ""), text, form.get("in_force") == "yes" and not draws
        )
        here = runtime()
        with telling_of_damage():
            secret, drawn = filing.file_secret(
                open_write(),
                current_principal(),
                filed,
                vault=here.vault,
                policies=here.policies,
                now=page_now(),
            )
    except Invalid as exc:
        db.session().rollback()
        page = _form(of, form.get("subject", ""), form.get("kind", ""), exc)
        return Response(page, status=422, content_type="text/html; charset=utf-8")
    if draws:
        answer_is_secret()
        return render_template("escrow/shown.html", text=drawn, secret=secret, drawn=True)
    flash("已备案，立即生效。" if filed.in_force else "已备案，设置好以后请点“已生效”。", "success")
    return see_other(f"/escrow/secrets/{secret.id}")


def _form(of: str, subject: str, kind: str, refusal: DomainError | None = None) -> str:
    subject_id = parse_id(subject)
    if of not in store.SUBJECTS or subject_id is None:
        raise NotFound("没有这台手机、号码或微信号")
    name, kinds = views.subject_choice(db.session(), current_principal(), of, subject_id, runtime().policies)
    return render_template(
        "escrow/file.html", of=of, of_word=views.OF_WORDS[of], subject=subject_id, name=name, kinds=kinds, kind=kind,
        refusal=refusal,
    )  # fmt: skip


@escrow_pages.post("/escrow/secrets/<uuid:secret_id>/check")
@access(*FILERS, late_transaction=True)
def check(secret_id: uuid.UUID) -> Response:
    matched = blind_check(secret_id, request.form.get("typed", ""))
    # The key of the form is claimed last: sent twice, it says the same twice, and counts as two.
    open_write()
    flash(*(("核对一致。", "success") if matched else ("核对不一致：和备案的密码不同。", "bad")))
    return see_other(f"/escrow/secrets/{secret_id}")


@escrow_pages.post("/escrow/secrets/<uuid:secret_id>/<any(confirm, drop):act>")
@access(*FILERS)
def settle(secret_id: uuid.UUID, act: str) -> Response:
    session, who, now = db.session(), current_principal(), page_now()
    if act == "confirm":
        filing.confirm(session, who, secret_id, now=now)
        flash("新密码已生效，旧密码不再使用。", "success")
    else:
        filing.drop(session, who, secret_id, now=now)
        flash("已放弃新密码，原来的不变。", "success")
    return see_other(f"/escrow/secrets/{secret_id}")


@escrow_pages.post("/escrow/secrets/<uuid:secret_id>/reveal")
@access(*FILERS)
def ask_reveal(secret_id: uuid.UUID) -> Response:
    own_session()
    revealing.request(
        db.session(), current_principal(), secret_id, request.form.get("reason", ""),
        policies=runtime().policies, now=page_now(),
    )  # fmt: skip
    flash("已申请，等待另一人批准。", "success")
    return see_other("/escrow/reveals")


@escrow_pages.get("/escrow/reveals")
@access(*_SEERS)
def reveal_list() -> str:
    lines = views.reveals(db.session(), current_principal(), policies=runtime().policies)
    return render_template("escrow/reveals.html", lines=lines)


@escrow_pages.post("/escrow/reveals/<uuid:reveal_id>/<any(approve, reject, withdraw):act>")
@access(*FILERS)
def decide(reveal_id: uuid.UUID, act: str) -> Response:
    """Each act checks for itself who may do it."""
    own_session()
    session, who, now, words = db.session(), current_principal(), page_now(), request.form.get("note", "")
    if act == "approve":
        revealing.approve(session, who, reveal_id, note_text=words, now=now)
    elif act == "reject":
        revealing.reject(session, who, reveal_id, note_text=words, now=now)
    else:
        revealing.withdraw(session, who, reveal_id, now=now)
    flash({"approve": "已批准。", "reject": "已标为不批准。", "withdraw": "已撤回。"}[act], "success")
    back = local_path(request.form.get("back"))
    return see_other(back if back != "/" else "/escrow/reveals")


@escrow_pages.post("/escrow/reveals/<uuid:reveal_id>/open")
@access(*FILERS, late_transaction=True)
def open_reveal(reveal_id: uuid.UUID) -> str:
    """A code of the authenticator, now, gives the token for one showing; it is in the page and in no address."""
    _prove_factor()
    row, token = revealing.open_request(
        open_write(), current_principal(), reveal_id, policies=runtime().policies, now=page_now()
    )
    answer_is_secret()
    return render_template("escrow/open.html", row=row, token=token)


@escrow_pages.post("/escrow/reveals/<uuid:reveal_id>/show")
@access(*FILERS, late_transaction=True)
def show_reveal(reveal_id: uuid.UUID) -> str:
    """What the trail says of it is committed before the answer is made; a second showing finds no token."""
    own_session()
    here, now = runtime(), page_now()
    with telling_of_damage(), write_apart() as writer:
        secret, text = revealing.show(
            writer, current_principal(), reveal_id, request.form.get("token", ""), vault=here.vault,
            policies=here.policies, now=now,
        )  # fmt: skip
    return render_template("escrow/shown.html", text=text, secret=secret, drawn=False)


def _prove_factor() -> None:
    """Raise `Invalid` for a wrong code, 429 after too many, `Forbidden` for who did not sign in as a person."""
    found, limits, now = own_session(), sign_in_limits(), page_now()
    assert found.user_id is not None
    keys = code_keys(f"reveal:{found.user_id}")
    with write_apart() as writer:
        wait = take_try(writer, keys, limits, now)
    if wait > dt.timedelta(0):
        raise Problem(429, "too_often", "试得太多了，请过一会儿再试 / too many tries: wait a while")
    with write_apart() as writer:
        right = (
            check_code(writer, runtime().keys, found.user_id, request.form.get("code", ""), now) is not None
        )
        if right:
            was_right(writer, keys)
    if not right:
        raise wrong_code()
