"""Tests of reach, for staff: phones with their tests, one phone's history, and testing one now."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, render_template, request

from app.http.access import STAFF, access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.kernel.db import db
from app.kernel.ids import parse_id
from app.observers import gateway_names
from app.probes import words
from app.probes.phone_store import centres
from app.probes.service import STARTERS, start_probe, weighed
from app.probes.views import FILTERS, Wanted, list_probes, phone_lines
from app.registry import find_handset
from app.runtime import runtime

probes_pages = Blueprint("probes_pages", __name__)


@probes_pages.get("/probes")
@access(*STAFF)
def probes() -> str:
    session, who, now = db.session(), current_principal(), page_now()
    args = request.args
    wanted = Wanted(
        text=args.get("q", "").strip()[:100],
        centre_id=parse_id(args.get("centre", "")),
        only=args.get("only") if args.get("only") in FILTERS else None,
        cursor=args.get("cursor"),
    )
    page = phone_lines(session, who, runtime().policies, wanted, now)
    return render_template(
        "probes/list.html",
        lines=page.items,
        next_cursor=page.next_cursor,
        wanted=wanted,
        centres=centres(session, who),
        days=runtime().policies.latest("probing").body["share_days"],
        may_start=who.has_any(*STARTERS),
        **words.FOR_PAGES,
    )


@probes_pages.get("/probes/phones/<uuid:handset_id>")
@access(*STAFF)
def phone_probes(handset_id: uuid.UUID) -> str:
    session, who = db.session(), current_principal()
    phone = find_handset(session, who, handset_id)
    page = list_probes(session, who, handset_id=handset_id, cursor=request.args.get("cursor"))
    return render_template(
        "probes/phone.html",
        phone=phone,
        tests=weighed(session, handset_id, page.items),
        next_cursor=page.next_cursor,
        agents=gateway_names(session, who),
        may_start=who.may(phone.centre_id, *STARTERS) and phone.retired_at is None,
        **words.FOR_PAGES,
    )


@probes_pages.get("/probes/phones/<uuid:handset_id>/start")
@access(*STARTERS)
def confirm_start(handset_id: uuid.UUID) -> str:
    return render_template(
        "probes/start.html", phone=find_handset(db.session(), current_principal(), handset_id)
    )


@probes_pages.post("/probes/phones/<uuid:handset_id>/start")
@access(*STARTERS)
def start(handset_id: uuid.UUID) -> Response:
    start_probe(db.session(), current_principal(), handset_id, "person", page_now())
    flash("测试已安排，网关下次上报时开始；没联系上会再试三次，最多十几分钟后有结果。", "success")
    return see_other(f"/probes/phones/{handset_id}")
