"""The administrator's pages about users. Only whoever administers the whole company gets here."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import Blueprint, Response, flash, render_template, request

from app.http.access import access
from app.http.identity import current_principal
from app.http.pages import SHANGHAI, page_now, see_other
from app.http.transaction import answer_is_secret
from app.kernel.db import db
from app.kernel.errors import DomainError, FieldError, Invalid
from app.kernel.ids import parse_id
from app.kernel.tenancy import ROLES
from app.people import key_store, listing, user_service
from app.people.listing import SORTS, STATES, Wanted
from app.people.model import User
from app.people.rules import ROLE_WORDS, Right
from app.people.user_service import By, UserInput

people_pages = Blueprint("people", __name__)
_PAGE = 50


@people_pages.get("/people")
@access("admin")
def list_page() -> str:
    args, now = request.args, page_now()
    sort, state, role = args.get("sort", "name"), args.get("state", "active"), args.get("role", "")
    wanted = Wanted(
        q="".join(c for c in args.get("q", "") if c.isprintable()).strip()[:100],
        sort=sort if sort in SORTS else "name",
        state=state if state in STATES else "active",
        role=role if role in ROLES else "",
        centre_id=parse_id(args.get("centre", "")),
    )
    page = listing.list_users(db.session(), wanted, now, cursor=args.get("cursor") or None, limit=_PAGE)
    return render_template(
        "people/list.html", page=page, wanted=wanted, sort=wanted.sort, section="people", role_names=ROLE_WORDS,
        centres=listing.centre_names(db.session()),
    )  # fmt: skip


@people_pages.get("/people/new")
@access("admin")
def new_page() -> str:
    return _new_form()


@people_pages.post("/people/new")
@access("admin")
def create_form() -> str | tuple[str, int]:
    """The password for the first sign-in is shown here and nowhere again."""
    session, form, by = db.session(), request.form, _by()
    given = UserInput(form.get("login", ""), form.get("name", ""), parse_id(form.get("employee_id", "")))
    try:
        user, password = user_service.create_user(session, given, by)
        if form.get("role"):
            user_service.grant(session, user.id, form["role"], _centre(form.get("centre_id", "")), by)
    except DomainError as exc:
        return _new_form(exc.detail), 422
    answer_is_secret()
    return render_template("people/password.html", user=user, password=password, section="people")


@people_pages.get("/people/<uuid:user_id>")
@access("admin")
def user_page(user_id: uuid.UUID) -> str:
    session = db.session()
    user = user_service.get_user(session, user_id)
    return render_template(
        "people/user.html",
        whole=listing.whole_user(session, user, page_now()),
        user=user,
        now=page_now(),
        section="people",
        role_names=ROLE_WORDS,
        centres=listing.centre_names(session),
        others={i: text for i, text in listing.user_choices(session).items() if i != user_id},
        names=listing.user_names(session),
        employees=listing.employee_choices(session, user.employee_id),
    )


@people_pages.post("/people/<uuid:user_id>")
@access("admin")
def change_form(user_id: uuid.UUID) -> Response:
    form = request.form
    user_service.change_user(
        db.session(), user_id, _by(), name=form.get("name", ""),
        employee_id=parse_id(form.get("employee_id", "")), version=form.get("version", 0, type=int),
    )  # fmt: skip
    return _back(user_id, "已保存。")


@people_pages.post("/people/<uuid:user_id>/active")
@access("admin")
def active_form(user_id: uuid.UUID) -> Response:
    active = request.form.get("active") == "1"
    user_service.set_active(db.session(), user_id, _by(), active=active)
    return _back(user_id, "已启用。" if active else "已停用，他的登录和令牌立即失效。")


@people_pages.post("/people/<uuid:user_id>/grants")
@access("admin")
def grant_form(user_id: uuid.UUID) -> Response:
    form = request.form
    user_service.grant(db.session(), user_id, form.get("role", ""), _centre(form.get("centre_id", "")), _by())
    return _back(user_id, "已授予。")


@people_pages.post("/people/grants/<uuid:grant_id>/end")
@access("admin")
def end_grant_form(grant_id: uuid.UUID) -> Response:
    return _back(user_service.end_grant(db.session(), grant_id, _by()).user_id, "角色已结束。")


@people_pages.post("/people/<uuid:user_id>/deputies")
@access("admin")
def deputy_form(user_id: uuid.UUID) -> Response:
    form = request.form
    deputy_id = parse_id(form.get("deputy_id", ""))
    if deputy_id is None:
        raise Invalid("请选择代理人", fields=[FieldError("deputy_id", "required", "请选择")])
    role, _, centre = form.get("right", "").partition("@")
    start, end = _day(form.get("from", ""), "from"), _day(form.get("to", ""), "to")
    user_service.send_deputy(
        db.session(), user_id, deputy_id, Right(role, _centre(centre)), start, end + dt.timedelta(days=1), _by()
    )  # fmt: skip
    return _back(user_id, "代理已安排。")


@people_pages.post("/people/deputies/<uuid:row_id>/end")
@access("admin")
def end_deputy_form(row_id: uuid.UUID) -> Response:
    return _back(user_service.end_deputy(db.session(), row_id, _by()).user_id, "代理已结束。")


@people_pages.post("/people/<uuid:user_id>/password")
@access("admin")
def reset_form(user_id: uuid.UUID) -> str:
    password = user_service.reset_password(db.session(), user_id, _by())
    user: User = user_service.get_user(db.session(), user_id)
    answer_is_secret()
    return render_template("people/password.html", user=user, password=password, section="people")


@people_pages.post("/people/<uuid:user_id>/factor")
@access("admin")
def factor_form(user_id: uuid.UUID) -> Response:
    user_service.reset_factor(db.session(), user_id, _by())
    return _back(user_id, "验证器已重置，他下次登录时重新设置。")


@people_pages.post("/people/<uuid:user_id>/sessions/end")
@access("admin")
def sessions_form(user_id: uuid.UUID) -> Response:
    user_service.get_user(db.session(), user_id)
    ended = key_store.end_sessions(db.session(), user_id, page_now())
    user_service.note(db.session(), "end_sessions", user_id, _by(), count=ended)
    return _back(user_id, f"{ended} 处登录已退出。")


def _new_form(problem: str = "") -> str:
    session = db.session()
    return render_template(
        "people/new.html", problem=problem, form=request.form, section="people", role_names=ROLE_WORDS,
        centres=listing.centre_names(session), employees=listing.employee_choices(session, None),
    )  # fmt: skip


def _centre(text: str) -> uuid.UUID | None:
    """Empty is the whole company; what is no id must not be taken for that."""
    found = parse_id(text)
    if text and found is None:
        raise Invalid("没有这个服务中心", fields=[FieldError("centre_id", "invalid", "没有这个服务中心")])
    return found


def _day(text: str, field: str) -> dt.datetime:
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), SHANGHAI)
    except ValueError:
        raise Invalid("请填写日期", fields=[FieldError(field, "invalid", "例：2026-12-01")]) from None


def _by() -> By:
    return By(current_principal().user, page_now(), request.remote_addr or "")


def _back(user_id: uuid.UUID, message: str) -> Response:
    flash(message, "success")
    return see_other(f"/people/{user_id}")
