"""Gateways: who reports, a code for a new one, and refusing one for good."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, render_template, request
from marshmallow import fields, validate

from app.fleet import find_agent, make_code, revoke
from app.http.access import STAFF, access
from app.http.api import StrictSchema
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.http.transaction import FORM_KEY, answer_is_secret
from app.kernel.db import db
from app.overview import store, words
from app.overview.service import agent_lines, health_counts
from app.runtime import runtime

gateway_pages = Blueprint("gateway_pages", __name__)
_WHO = ("operations", "it")


class _CodeForm(StrictSchema):
    key = fields.String(data_key=FORM_KEY)
    centre_id = fields.UUID(required=True)
    name = fields.String(load_default="", validate=validate.Length(max=100))
    hours = fields.Integer(load_default=24)


class _RevokeForm(StrictSchema):
    key = fields.String(data_key=FORM_KEY)
    reason = fields.String(required=True, validate=validate.Length(1, 500))


@gateway_pages.get("/gateways")
@access(*STAFF)
def gateways() -> str:
    session, who = db.session(), current_principal()
    revoked = None if request.args.get("revoked") == "1" else False
    lines = agent_lines(session, who, page_now(), runtime().settings.checkin_interval_s, revoked=revoked)
    centres = store.centres(session, who)
    return render_template(
        "fleet/gateways.html",
        agents=lines,
        health=health_counts(lines),
        centres=centres,
        centre_names={centre.id: centre.name for centre in centres},
        all_shown=revoked is None,
        **words.FOR_PAGES,
    )


@gateway_pages.post("/gateways/codes")
@access(*_WHO)
def new_code() -> str:
    """The answer shows the code, once: it is kept nowhere, and sent again the same form is refused."""
    answer_is_secret()
    form = _CodeForm().load(request.form.to_dict())
    made = make_code(
        db.session(),
        current_principal(),
        form["centre_id"],
        url=runtime().settings.public_url or request.host_url,
        command_key=runtime().keys.public_key("agent-reads"),
        name=form["name"].strip() or None,
        handset_id=None,
        hours=form["hours"],
        now=page_now(),
    )
    return render_template(
        "fleet/code.html",
        code=str(made.code),
        expires_at=made.expires_at,
        name=form["name"],
        here_only=runtime().settings.public_url is None,
    )


@gateway_pages.get("/gateways/<uuid:agent_id>/revoke")
@access(*_WHO)
def confirm_revoke(agent_id: uuid.UUID) -> str:
    return render_template("fleet/revoke.html", agent=find_agent(db.session(), current_principal(), agent_id))


@gateway_pages.post("/gateways/<uuid:agent_id>/revoke")
@access(*_WHO)
def revoke_agent(agent_id: uuid.UUID) -> Response:
    form = _RevokeForm().load(request.form.to_dict())
    agent = revoke(db.session(), current_principal(), agent_id, form["reason"].strip(), page_now())
    flash(f"网关“{agent.name}”已吊销，不再接受它的任何上报。", "success")
    return see_other("/gateways")
