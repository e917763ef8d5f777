"""Handovers for the desk: the list, a new case, one case; and a butler's own."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, render_template, request

from app.handover import choice_store, listing, reading, service, store
from app.handover.leg_pages import refused
from app.handover.model import Handover
from app.handover.proposing import kit_in, parts_of
from app.handover.rules import KIND_WORDS, REASONS
from app.handover.states import CASE_WORDS, Case
from app.handover.views import case_lines, case_view, kit_lines, own_lines
from app.http.access import SIGNED_IN, access
from app.http.identity import current_principal
from app.http.pages import SHANGHAI, page_now, see_other, zh
from app.kernel.db import db
from app.kernel.errors import DomainError, FieldError, Forbidden, Invalid, NotFound
from app.kernel.ids import parse_id
from app.kernel.texts import one_line
from app.people import names_of, users_with
from app.policy import effective
from app.registry import live_centres
from app.runtime import runtime

handover_pages = Blueprint("handover_pages", __name__)


@handover_pages.get("/handovers")
@access(*store.VIEWERS)
def handovers() -> str:
    session, who, now, args = db.session(), current_principal(), page_now(), request.args
    state, kind = args.get("state", ""), args.get("kind", "")
    page = listing.handovers(
        session, who, state=state if state in CASE_WORDS else None, kind=kind if kind in KIND_WORDS else None,
        centre_id=parse_id(args.get("centre", "")), words=one_line(args.get("q", ""), 100), cursor=args.get("cursor"),
    )  # fmt: skip
    return render_template(
        "handover/list.html", lines=case_lines(session, who, page.items, now), next_cursor=page.next_cursor,
        states=CASE_WORDS, kinds=KIND_WORDS, centres=live_centres(session, who), leaving=_leaving(now),
    )  # fmt: skip


def _leaving(now: dt.datetime) -> list[dict[str, str]]:
    """Whoever left or leaves, with what is still to be done about him."""
    lines = []
    for one in listing.leaving_staff(db.session(), current_principal(), now=now):
        name = f"{one.employee.name}（{one.employee.number}）"
        covered = {case.post_id for case in one.handovers}
        for case in one.handovers:
            late = "，已超期" if case.due_at < now else ""
            lines.append(
                {
                    "name": name,
                    "what": f"交接没有办完{late}。",
                    "path": f"/handovers/{case.id}",
                    "button": "继续办",
                }
            )
        for post in one.posts:
            if post.id not in covered:
                path = f"/handovers/new?post={post.id}"
                lines.append(
                    {"name": name, "what": f"还占着岗位 {post.name}。", "path": path, "button": "开始交接"}
                )
    return lines


@handover_pages.get("/my/handovers")
@access(*SIGNED_IN)
def mine() -> str:
    session, who = db.session(), current_principal()
    page = listing.concerning(session, who, cursor=request.args.get("cursor"))
    lines = own_lines(session, who, page.items)
    return render_template(
        "handover/mine.html", known=who.employee is not None, next_cursor=page.next_cursor,
        waiting=[line for line in lines if line.at is None], receipts=[line for line in lines if line.at is not None],
    )  # fmt: skip


@handover_pages.get("/handovers/new")
@access(*store.DESK)
def new() -> Response | str:
    post_id = parse_id(request.args.get("post", ""))
    return _choose_post() if post_id is None else _form(post_id, request.args)


def _choose_post() -> str:
    session, who, now, args = db.session(), current_principal(), page_now(), request.args
    page = choice_store.posts(session, who, one_line(args.get("q", ""), 100), now, cursor=args.get("cursor"))
    ids = [post.id for post in page.items]
    held, open_cases = choice_store.holders(session, ids, now), choice_store.open_cases_of(session, ids)
    centres = dict(live_centres(session, who))
    posts = [
        {
            "id": post.id, "name": post.name, "holder": held.get(post.id, ""), "open": open_cases.get(post.id),
            "centre": centres.get(post.centre_id, "") if len(centres) > 1 else "",
        }
        for post in page.items
    ]  # fmt: skip
    return render_template(
        "handover/new.html", post=None, posts=posts, refusal=None, next_cursor=page.next_cursor, zh=zh
    )


def _form(post_id: uuid.UUID, typed: Mapping[str, str], refusal: DomainError | None = None) -> Response | str:
    session, who, here, now = db.session(), current_principal(), runtime(), page_now()
    found = service.proposal(session, who, post_id, now=now)
    if found.open_case is not None and refusal is None:
        return see_other(f"/handovers/{found.open_case.id}")
    body = effective(session, here.policies, "handover", found.post.centre_id).body
    kinds = ("handover", "return") if found.holder else ("issue",)
    due = (now + dt.timedelta(days=body["due_days"])).astimezone(SHANGHAI)
    values = {
        "kind": kinds[0], "reason": "", "receiver": "", "lead": who.user, "place": "", "note": "",
        "due_at": due.strftime("%Y-%m-%dT%H:%M"), **{name: typed[name] for name in typed},
    }  # fmt: skip
    missing = service.what_is_missing(session, who, post_id, policies=here.policies, now=now)
    people = choice_store.live_employees(session, found.post.centre_id)
    page = render_template(
        "handover/new.html", post=found.post, holder=found.holder.name if found.holder else "", refusal=refusal,
        kit=kit_lines(found.parts), missing=[] if found.holder else missing, zh=zh, typed=values,
        kinds=[(kind, KIND_WORDS[kind]) for kind in kinds], reasons=REASONS,
        people=[one for one in people if found.holder is None or one[0] != found.holder.id],
        leads=_leads(found.post.centre_id, now),
    )  # fmt: skip
    return page if refusal is None else refused(page, refusal)


def _leads(centre_id: uuid.UUID, now: dt.datetime) -> list[tuple[str, str]]:
    """(user, name) of who may lead a handover there."""
    session = db.session()
    users = {str(user) for user in users_with(session, centre_id, *store.DESK, at=now)}
    return sorted(names_of(session, users).items(), key=lambda one: one[1])


@handover_pages.post("/handovers")
@access(*store.DESK)
def start() -> Response | str:
    form, post_id = request.form, parse_id(request.form.get("post", ""))
    if post_id is None:
        raise NotFound("没有这个岗位 / no such post")
    try:
        wanted = service.Wanted(
            post_id, form.get("kind", ""), form.get("reason", ""), _person(form), _instant(form),
            place=form.get("place", ""), note=form.get("note", ""), lead_user=form.get("lead") or None,
        )  # fmt: skip
        case = service.start(
            db.session(), current_principal(), wanted, policies=runtime().policies, now=page_now()
        )
    except DomainError as exc:
        if isinstance(exc, NotFound | Forbidden):
            raise
        db.session().rollback()
        return _form(post_id, form, exc)
    flash("已开始。办完以前，这个岗位的手机、号码、微信不能另行分配。", "success")
    return see_other(f"/handovers/{case.id}")


def _person(form: Mapping[str, str]) -> uuid.UUID | None:
    text = form.get("receiver", "")
    found = parse_id(text)
    if text and found is None:
        raise Invalid("请重新选择接收人", fields=[FieldError("receiver_id", "invalid", "请重新选择接收人")])
    return found


def _instant(form: Mapping[str, str]) -> dt.datetime:
    """What a browser's control for date and time says, as Shanghai's time."""
    try:
        local = dt.datetime.fromisoformat(form.get("due_at", ""))
        if not 2000 <= local.year <= 2100 or local.tzinfo is not None:
            raise ValueError
    except ValueError:
        raise Invalid("请填写期限", fields=[FieldError("due_at", "invalid", "请填写期限")]) from None
    return local.replace(tzinfo=SHANGHAI).astimezone(dt.UTC)


@handover_pages.get("/handovers/<uuid:handover_id>")
@access(*SIGNED_IN)
def case(handover_id: uuid.UUID) -> str:
    session, who, now = db.session(), current_principal(), page_now()
    row = reading.find(session, who, handover_id)
    view = case_view(session, who, row, _parts(row), now)
    changes = row.state == Case.OPEN and bool(view.acts)
    return render_template(
        "handover/case.html", view=view, due_local=row.due_at.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M"),
        people=choice_store.live_employees(session, row.centre_id) if changes else [],
        leads=_leads(row.centre_id, now) if changes else [],
    )  # fmt: skip


def _parts(row: Handover) -> list[Any]:
    """The kit as the first list has it: what the registry says later is no part of this case."""
    session = db.session()
    legs = store.legs_of(session, row.id)
    return parts_of(session, kit_in(store.items_of(session, legs[0].id)))


def _change(act: str, row_id: uuid.UUID) -> str:
    """Perform one act on a case; what to say then."""
    session, who, form, now = db.session(), current_principal(), request.form, page_now()
    reason = form.get("reason", "")
    if act == "receiver":
        person = _person(form)
        if person is None:
            raise Invalid("请选择接收人")
        service.name_receiver(session, who, row_id, person, now=now)
        return "已定接收人。"
    if act == "lead":
        service.set_lead(session, who, row_id, form.get("lead", ""), now=now)
        return "已换经办人。"
    if act == "due":
        service.reschedule(session, who, row_id, _instant(form), now=now)
        return "已改期限。"
    if act == "cancel":
        service.cancel(session, who, row_id, reason=reason, now=now)
        return "已取消，记录保留。"
    service.conclude(session, who, row_id, reason=reason, now=now)
    return "已改为交还，这次交接结束。"


@handover_pages.post("/handovers/<uuid:handover_id>/<any(receiver, lead, due, cancel, conclude):act>")
@access(*store.DESK)
def change(handover_id: uuid.UUID, act: str) -> Response:
    try:
        # Only what the act did is undone by a refusal: the form's key stays, and its answer with it.
        with db.session().begin_nested():
            done = _change(act, handover_id)
    except DomainError as exc:
        if isinstance(exc, NotFound | Forbidden):
            raise
        flash(zh(exc.detail), "error")
    else:
        flash(done, "success")
    return see_other(f"/handovers/{handover_id}")
