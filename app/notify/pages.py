"""The channels, what became of what left, the centres' robots, and how employees are reached."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, render_template, request

from app.http.access import access
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.pages import local_path, page_now, see_other
from app.http.problems import STATUS
from app.kernel.db import db
from app.kernel.errors import DomainError, Invalid, NotFound
from app.kernel.ids import parse_id
from app.kernel.texts import one_line
from app.notify import deliveries as sent
from app.notify import views
from app.notify.contacts import KEEPERS, contact_of, put_of
from app.notify.robots import add_robot, retire_robot, robots
from app.notify.words import TOPIC_WORDS
from app.runtime import runtime

notify_pages = Blueprint("notify_pages", __name__)


@notify_pages.get("/notify")
@access("operations")
def notify() -> str:
    session, who, args = db.session(), current_principal(), request.args
    state, topic = args.get("state", ""), args.get("topic", "")
    page = sent.deliveries(session, who, state=state, topic=topic, cursor=args.get("cursor"))
    return render_template(
        "notify/channels.html", lines=page.items, next_cursor=page.next_cursor, state=state, topic=topic,
        health=sent.health(session, who, runtime().settings), topics=TOPIC_WORDS, robots=robots(session, who),
        centres=views.centres(session, who), admin="admin" in who.roles,
        may_test="admin" in who.roles and who.centres is None, unheard=views.unheard(session, who, page_now()),
        public_url=runtime().settings.public_url,
    )  # fmt: skip


@notify_pages.post("/notify/test")
@access("admin")
def test() -> Response:
    form = request.form
    try:
        with db.session().begin_nested():
            sent.send_test(
                db.session(), current_principal(), runtime().settings, form.get("topic", ""),
                form.get("address", ""), page_now(),
            )  # fmt: skip
    except DomainError as exc:
        flash(_said(exc), "error")
        return see_other("/notify")
    flash("测试已排队，约 15 秒后发出；结果在下面的发送记录里。", "success")
    return see_other("/notify")


@notify_pages.post("/notify/deliveries/<uuid:message_id>/retry")
@access("operations")
def retry(message_id: uuid.UUID) -> Response:
    sent.try_again(db.session(), current_principal(), message_id, page_now())
    flash("已重新排队。", "success")
    back = local_path(request.form.get("back"))
    return see_other(back if back.startswith("/notify") else "/notify")


@notify_pages.post("/notify/robots")
@access("admin")
def add() -> Response:
    form = request.form
    try:
        centre_id = parse_id(form.get("centre", ""))
        if centre_id is None:
            raise Invalid("请选择服务中心 / choose a centre")
        with db.session().begin_nested():
            add_robot(
                db.session(), current_principal(), runtime().keys, centre_id=centre_id,
                name=form.get("name", ""), url=form.get("url", ""), signing=form.get("signing", ""), now=page_now(),
            )  # fmt: skip
    except DomainError as exc:
        flash(_said(exc), "error")
        return see_other("/notify")
    flash("机器人已添加。地址已加密保存，不会再显示。", "success")
    return see_other("/notify")


@notify_pages.post("/notify/robots/<uuid:robot_id>/test")
@access("admin")
def test_robot(robot_id: uuid.UUID) -> Response:
    sent.test_robot(db.session(), current_principal(), robot_id, page_now())
    flash("测试已排队，约 15 秒后发出；结果在下面的发送记录里。", "success")
    return see_other("/notify")


@notify_pages.post("/notify/robots/<uuid:robot_id>/retire")
@access("admin")
def retire(robot_id: uuid.UUID) -> Response:
    version = request.form.get("_version", 0, type=int)
    retire_robot(db.session(), current_principal(), robot_id, expected_version=version, now=page_now())
    flash("机器人已停用，保存的地址已删除。", "success")
    return see_other("/notify")


@notify_pages.get("/notify/contacts")
@access(*KEEPERS)
def contacts() -> str:
    args = request.args
    page = views.contact_lines(
        db.session(), current_principal(), page_now(), words=one_line(args.get("q", ""), 100),
        missing=args.get("show") == "missing", cursor=args.get("cursor"),
    )  # fmt: skip
    note_reading("contacts", filters=args.to_dict(), count=len(page.items))
    return render_template("notify/contacts.html", lines=page.items, next_cursor=page.next_cursor)


@notify_pages.get("/notify/contacts/<uuid:employee_id>")
@access(*KEEPERS)
def contact(employee_id: uuid.UUID) -> str:
    return _contact_form(employee_id)


@notify_pages.post("/notify/contacts/<uuid:employee_id>")
@access(*KEEPERS)
def change_contact(employee_id: uuid.UUID) -> Response:
    form = request.form
    try:
        put_of(
            db.session(), current_principal(), employee_id, mail=form.get("mail", ""),
            mobile=form.get("mobile", ""), expected_version=form.get("_version", 0, type=int), now=page_now(),
        )  # fmt: skip
    except NotFound:
        raise
    except DomainError as exc:
        db.session().rollback()
        status = next(code for kind, code in STATUS.items() if isinstance(exc, kind))
        page = _contact_form(employee_id, exc)
        return Response(page, status=status, content_type="text/html; charset=utf-8")
    flash("联系方式已保存。", "success")
    return see_other("/notify/contacts")


def _contact_form(employee_id: uuid.UUID, refusal: DomainError | None = None) -> str:
    session, who = db.session(), current_principal()
    row = contact_of(session, who, employee_id)
    texts = (
        request.form if refusal else {"mail": (row and row.mail) or "", "mobile": (row and row.mobile) or ""}
    )
    return render_template(
        "notify/contact.html", texts=texts, version=row.version if row else 0, refusal=refusal,
        action=f"/notify/contacts/{employee_id}", whose=views.employee_name(session, who, employee_id),
        back="/notify/contacts",
    )  # fmt: skip


def _said(error: DomainError) -> str:
    return "；".join(problem.message for problem in error.fields) or error.detail
