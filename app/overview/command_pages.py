"""The list of commands, and taking one back."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, render_template, request

from app.commands import ACTIVE, cancel, tell_ended
from app.fleet import agent_names
from app.http.access import STAFF, access
from app.http.identity import current_principal
from app.http.pages import local_path, page_now, see_other
from app.kernel.db import db
from app.kernel.ids import parse_id
from app.overview import words
from app.overview.commands import command_lines
from app.overview.store import phone_names
from app.runtime import command_hooks

command_pages = Blueprint("command_pages", __name__)


@command_pages.get("/commands")
@access(*STAFF)
def commands() -> str:
    session, who = db.session(), current_principal()
    state = request.args.get("state", "")
    states = ACTIVE if state == "active" else (state,) if state in words.COMMAND else ()
    handset_id = parse_id(request.args.get("phone", ""))
    page = command_lines(
        session,
        who,
        agent_names(session, who),
        states=states,
        handset_id=handset_id,
        cursor=request.args.get("cursor"),
    )
    phone = phone_names(session, who, [handset_id]).get(handset_id, "") if handset_id else ""
    return render_template(
        "commands/list.html",
        commands=page.items,
        next_cursor=page.next_cursor,
        state=state,
        handset_id=handset_id,
        phone=phone,
        **words.FOR_PAGES,
    )


@command_pages.post("/commands/<uuid:command_id>/cancel")
@access("operations", "lead", "it")
def cancel_command(command_id: uuid.UUID) -> Response:
    command = cancel(db.session(), current_principal(), command_id, now=page_now())
    tell_ended(command, command_hooks(), db.session(), page_now())
    flash("命令已取消。", "success")
    back = local_path(request.form.get("back"))
    return see_other(back if back != "/" else "/commands")
