"""The first page and a phone's own page."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, render_template, request

from app.commands import enqueue
from app.contracts import contracts_of_handset
from app.escrow import escrow_status
from app.fleet import agent_names
from app.handover import last_records, open_handovers
from app.http.access import STAFF, access
from app.http.identity import current_principal
from app.http.pages import may, page_now, see_other, when
from app.kernel.db import db
from app.kernel.ids import parse_id
from app.overview import store, words
from app.overview.commands import command_lines
from app.overview.evidence import phone_evidence
from app.overview.phone import phone_view
from app.overview.rules import Wanted, show
from app.overview.service import agent_lines, health_counts, phone_lines, sighting_lines
from app.overview.waiting import waiting_counts
from app.runtime import runtime
from app.transfer import transfer_state
from app.wipe import standing_of

_RECORDS_SHOWN = 3
_COMMANDS_SHOWN = 5
# A refresh looks at every phone in sight (about 0.1 ms each): the more there are, the more rarely it comes.
_REFRESH_S, _REFRESH_MANY_S, _MANY = 15, 60, 1000
overview_pages = Blueprint("overview", __name__)
ACTORS = ("operations", "lead", "it")


@overview_pages.get("/")
@access(*STAFF)
def phones() -> str:
    session, who, now = db.session(), current_principal(), page_now()
    agents = agent_lines(session, who, now, runtime().settings.checkin_interval_s)
    names = agent_names(session, who)
    wanted = _wanted()
    shown = show(phone_lines(session, who, now, runtime().policies, names), wanted)
    return render_template(
        "overview/phones.html",
        shown=shown,
        pace=_REFRESH_S if shown.total <= _MANY else _REFRESH_MANY_S,
        wanted=wanted,
        centres=store.centres(session, who),
        agents=agents,
        health=health_counts(agents),
        sightings=sighting_lines(session, who, names),
        waiting=waiting_counts(session, who, now, calls=may("/dialling")),
        # Only whoever begins is told: to look at the keyring at each refresh is for nothing later.
        escrow="" if shown.total else escrow_status(session, runtime().vault).code,
        now=now,
        **words.FOR_PAGES,
    )


def _wanted() -> Wanted:
    """What the address asks for; what makes no sense there is as if it were not there."""
    args = request.args
    return Wanted(
        text=args.get("q", "").strip()[:100],
        centre_id=parse_id(args.get("centre", "")),
        power=args.get("power") if args.get("power") in words.POWER_NOW else None,
        verdict=args.get("verdict") if args.get("verdict") in words.VERDICT else None,
        sort=args.get("sort", "tag"),
        page=args.get("page", 1, type=int),
    )


@overview_pages.get("/phones/<uuid:handset_id>")
@access(*STAFF)
def phone(handset_id: uuid.UUID) -> str:
    session, who, now = db.session(), current_principal(), page_now()
    names = agent_names(session, who)
    view = phone_view(
        session,
        who,
        handset_id,
        now,
        runtime().policies,
        names,
        app_text=request.args.get("app", "")[:100],
        system_apps=request.args.get("system") == "1",
    )
    commands = command_lines(session, who, names, handset_id=handset_id, limit=_COMMANDS_SHOWN).items
    return render_template(
        "overview/phone.html",
        **vars(view),
        evidence=phone_evidence(session, who, handset_id, now, runtime().policies),
        contracts=contracts_of_handset(session, who, handset_id, now=now, policies=runtime().policies),
        open_handovers=open_handovers(session, who, handset_id=handset_id),
        moved=transfer_state(session, handset_id),
        wipe=standing_of(session, handset_id),
        handed=last_records(session, handset_id, limit=_RECORDS_SHOWN),
        commands=commands,
        busy=any(command.active for command in commands),
        now=now,
        **words.FOR_PAGES,
    )


@overview_pages.post("/phones/<uuid:handset_id>/read")
@access(*ACTORS)
def read_now(handset_id: uuid.UUID) -> Response:
    """Queue "read this phone now"; while one is under way, a second press only shows that one."""
    command, made = enqueue(db.session(), current_principal(), handset_id, "read_phone", now=page_now())
    # No gateway may reach this phone: said at once, for otherwise a person waits for what never comes.
    queued = (
        f"已加入队列，能读到这部手机的网关下次上报时执行；到 {when(command.expires_at)} 还没有执行就作废。"
    )
    text = queued if made else "已经有一条读取命令在执行，不需要再发。"
    flash(text, "success" if made else "warning")
    return see_other(f"/phones/{handset_id}")
