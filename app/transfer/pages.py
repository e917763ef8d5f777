"""Transfers for people: the list, a new one, one with all its steps, its manifest."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, stream_with_context
from sqlalchemy.orm import Session

from app.http.access import access
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.pages import local_path, page_now, see_other
from app.http.problems import STATUS
from app.http.transaction import open_write
from app.http.uploads import photos_of, send_picture
from app.kernel.db import db
from app.kernel.errors import DomainError, NotFound
from app.kernel.ids import parse_id
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line, wrong
from app.registry import Handset, find_handset, live_centres
from app.transfer import (
    copies,
    deciding,
    exporting,
    forms,
    manifest_store,
    opening,
    running,
    stopping,
    store,
    views,
)
from app.transfer.api import tools
from app.transfer.rules import ENTRY_STATES, PARTS, SHORT
from app.transfer.states import OPEN, State
from app.transfer.tools import DOERS, LEADS, MAX_PHOTOS, PATH_READERS, VIEWERS, policy_of, transfer_path
from app.transfer.words import FOR_PAGES

transfer_pages = Blueprint("transfer_pages", __name__)
_TAGS = 2000
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_RUNNING = "open"
Act = Callable[[Session, Principal, uuid.UUID, Mapping[str, str], tuple[bytes, ...], dt.datetime], Any]
DOERS_ACTS: Mapping[str, tuple[str, Act]] = {
    "start": (
        "已交给网关，约一分钟内开始。",
        lambda s, p, i, _, __, now: running.start(s, p, tools(), i, now),
    ),
    "stop": (
        "已要求停止。",
        lambda s, p, i, f, _, now: stopping.stop(
            s, p, i, copy=f.get("copy", ""), reason=f.get("reason", ""), now=now
        ),
    ),
    "cancel": (
        "已取消。已写入新手机的内容仍在新手机上。",
        lambda s, p, i, f, __, now: running.cancel(s, p, i, reason=f.get("reason", ""), now=now),
    ),
    "wechat": (
        "微信迁移已登记。",
        lambda s, p, i, f, ph, now: deciding.record_wechat(s, p, tools(), i, forms.wechat(f, ph), now),
    ),
    "ask_waive": (
        "已申请免迁移，等另一位主管决定。",
        lambda s, p, i, f, __, now: deciding.ask_waiver(s, p, i, reason=f.get("reason", ""), now=now),
    ),
    "discard": (
        "副本的密钥已销毁，已要求网关清除密文。",
        lambda s, p, i, _, __, now: copies.discard(s, p, i, now=now),
    ),
}
LEADS_ACTS: Mapping[str, tuple[str, Act]] = {
    "accept_data": (
        "差异已接受。",
        lambda s, p, i, f, __, now: deciding.accept_data(s, p, i, reason=f.get("reason", ""), now=now),
    ),
    "accept_wechat": (
        "微信的结果已接受。",
        lambda s, p, i, f, __, now: deciding.accept_wechat(s, p, i, reason=f.get("reason", ""), now=now),
    ),
    "decide_waive": (
        "已作出决定。",
        lambda s, p, i, f, __, now: deciding.decide_waiver(
            s, p, i, grant=f.get("grant") == "yes", reason=f.get("reason", ""), now=now
        ),
    ),
}


@transfer_pages.get("/transfers")
@access(*VIEWERS)
def transfers() -> str:
    session, who, args = db.session(), current_principal(), request.args
    page = views.transfer_page(
        session, who, sort=args.get("sort", "-opened"), cursor=args.get("cursor") or None, **_filters(args)
    )
    return render_template(
        "transfer/list.html", lines=views.lines(session, page.items), next_cursor=page.next_cursor,
        counts=store.counts(session, who), centres=live_centres(session, who), sort=args.get("sort", "-opened"),
        may_open=who.has_any(*DOERS), filtered=any(args.get(n) for n in ("q", "state", "centre", "handset")),
        **FOR_PAGES,
    )  # fmt: skip


def _filters(args: Mapping[str, str]) -> dict[str, Any]:
    state = args.get("state", "")
    known = [state] if state in set(State) else []
    return {
        "states": list(OPEN) if state == _RUNNING else known,
        "centre_id": parse_id(args.get("centre", "")),
        "handset_id": parse_id(args.get("handset", "")),
        "words": one_line(args.get("q", ""), 100),
    }


@transfer_pages.get("/transfers.xlsx")
@access(*VIEWERS)
def export() -> Response:
    """The list as filtered, all pages of it."""
    session, who, args = db.session(), current_principal(), request.args
    found: list[views.Line] = []
    cursor = None
    while True:
        page = views.transfer_page(session, who, cursor=cursor, limit=200, **_filters(args))
        found += views.lines(session, page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
    note_reading("transfers", filters=args, count=len(found), action="transfer.exported")
    return _file(exporting.transfers_book(found), _XLSX, "transfers.xlsx")


@transfer_pages.get("/transfers/new")
@access(*DOERS)
def new_transfer() -> str:
    return _form(request.args)


@transfer_pages.post("/transfers/new")
@access(*DOERS)
def open_new() -> Response:
    form, session, who = request.form, db.session(), current_principal()
    try:
        with session.begin_nested():
            alone = form.get("alone") == "yes"
            source = local_path(form["source"]) if form.get("source") else None
            wanted = opening.Wanted(
                old_id=_phone("old"), new_id=None if alone else _phone("new"), reason=form.get("reason", ""),
                parts=tuple(form.getlist("parts")), source=source,
            )  # fmt: skip
            row = opening.open_transfer(session, who, tools(), wanted, page_now())
            if alone:
                deciding.ask_waiver(session, who, row.id, reason=form.get("reason", ""), now=page_now())
    except DomainError as exc:
        return refused(exc, _form(form, exc))
    flash("已建立。请按页面上的步骤进行。", "success")
    return see_other(transfer_path(row.id))


def _phone(name: str) -> uuid.UUID:
    """By its asset tag, as people know it, else by the id that a link brought."""
    text = request.form.get(name, "").strip()
    found = store.phone_by_tag(db.session(), current_principal(), text)
    if found is None:
        raise wrong(name, "没有这个资产编号的手机")
    return found


def _form(texts: Mapping[str, str], refusal: DomainError | None = None) -> str:
    session, who, now = db.session(), current_principal(), page_now()
    old = _named(texts.get("old", ""))
    new = _named(texts.get("new", ""))
    if old is not None and new is None and refusal is None:
        new = opening.suggested_new(session, who, old, now)
    centre = old.centre_id if old else None
    body = (
        policy_of(session, tools().policies, centre).body
        if centre
        else tools().policies.latest("transfer").body
    )
    return render_template(
        "transfer/new.html", texts=texts, refusal=refusal, old=old, new=new, policy=body,
        tags=store.phone_tags(session, who, _TAGS), source=local_path(texts["source"]) if texts.get("source") else "",
        found=opening.hindrances(session, old, new, now) if old and new else [], **FOR_PAGES,
    )  # fmt: skip


def _named(text: str) -> Handset | None:
    session, who = db.session(), current_principal()
    found = parse_id(text) or store.phone_by_tag(session, who, text.strip())
    try:
        return None if found is None else find_handset(session, who, found)
    except NotFound:
        return None


@transfer_pages.get("/transfers/<uuid:transfer_id>")
@access(*VIEWERS)
def one_transfer(transfer_id: uuid.UUID) -> str:
    return _page(transfer_id)


def _page(transfer_id: uuid.UUID, refusal: DomainError | None = None, act: str = "") -> str:
    session, who, now = db.session(), current_principal(), page_now()
    found = views.detail(session, who, tools(), transfer_id, now)
    body = policy_of(session, tools().policies, found.line.row.centre_id).body
    return render_template(
        "transfer/one.html", found=found, policy=body, texts=request.form if refusal else {}, refusal=refusal,
        refused_act=act, max_photos=MAX_PHOTOS, now_local=forms.local(now), **FOR_PAGES,
    )  # fmt: skip


@transfer_pages.post(
    "/transfers/<uuid:transfer_id>/<any(start, stop, cancel, wechat, ask_waive, discard):act>"
)
@access(*DOERS, late_transaction=True)
def act_on(transfer_id: uuid.UUID, act: str) -> Response:
    return _act(DOERS_ACTS, transfer_id, act)


@transfer_pages.post("/transfers/<uuid:transfer_id>/<any(accept_data, accept_wechat, decide_waive):act>")
@access(*LEADS, late_transaction=True)
def decide_on(transfer_id: uuid.UUID, act: str) -> Response:
    return _act(LEADS_ACTS, transfer_id, act)


def _act(acts: Mapping[str, tuple[str, Act]], transfer_id: uuid.UUID, act: str) -> Response:
    done, perform = acts[act]
    try:
        photos = tuple(p.data for p in photos_of(request.files.getlist("photos"), MAX_PHOTOS))
        perform(open_write(), current_principal(), transfer_id, request.form, photos, page_now())
    except DomainError as exc:
        db.session().rollback()
        return refused(exc, _page(transfer_id, exc, act))
    flash(done, "success")
    return see_other(transfer_path(transfer_id))


def refused(error: DomainError, page: str) -> Response:
    """The page again with what is wrong. A status of 400 or more makes the edge write nothing."""
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    return Response(page, status=status, content_type="text/html; charset=utf-8")


@transfer_pages.get("/transfers/<uuid:transfer_id>/photos/<sha256>")
@access(*VIEWERS)
def photo(transfer_id: uuid.UUID, sha256: str) -> Response:
    if sha256 not in views.photos_of(db.session(), current_principal(), transfer_id):
        raise NotFound("没有这张照片 / no such photo")
    return send_picture(sha256)


@transfer_pages.get("/transfers/<uuid:transfer_id>/files")
@access(*PATH_READERS)
def files(transfer_id: uuid.UUID) -> str:
    session, who, args = db.session(), current_principal(), request.args
    wanted = _wanted(args)
    row, page = views.entry_page(
        session, who, transfer_id, **wanted, sort=args.get("sort", "path"), cursor=args.get("cursor") or None
    )
    assert row.manifest_command is not None
    note_reading("transfer_files", filters=args, count=len(page.items), subject=f"transfer:{row.id}")
    return render_template(
        "transfer/files.html", row=row, line=views.lines(session, [row])[0], entries=page.items,
        next_cursor=page.next_cursor, counts=manifest_store.counts(session, row.manifest_command),
        sort=args.get("sort", "path"), state=args.get("state", "short"), part=args.get("part", ""), **FOR_PAGES,
    )  # fmt: skip


def _wanted(args: Mapping[str, str]) -> dict[str, Any]:
    state, part = args.get("state", "short"), args.get("part", "")
    chosen = {"short": SHORT, "all": ()}.get(state, (state,) if state in ENTRY_STATES else SHORT)
    return {
        "states": chosen,
        "part": part if part in PARTS else None,
        "words": args.get("q", "")[:200].strip(),
    }


@transfer_pages.get("/transfers/<uuid:transfer_id>/files.xlsx")
@access(*PATH_READERS)
def files_book(transfer_id: uuid.UUID) -> Response:
    """As filtered, at most `exporting.MAX_ROWS` rows."""
    session, who, args = db.session(), current_principal(), request.args
    row = views.with_manifest(session, who, transfer_id)
    assert row.manifest_command is not None
    query = manifest_store.entries(row.manifest_command, **_wanted(args))
    entries = manifest_store.rows_after(session, query, -1, exporting.MAX_ROWS)
    note_reading(
        "transfer_files",
        filters=args,
        count=len(entries),
        action="transfer.exported",
        subject=f"transfer:{row.id}",
    )
    return _file(exporting.entries_book(entries), _XLSX, f"transfer-{row.id}.xlsx")


@transfer_pages.get("/transfers/<uuid:transfer_id>/manifest.jsonl")
@access(*PATH_READERS)
def manifest(transfer_id: uuid.UUID) -> Response:
    """The canonical manifest: the sha256 of this file is the one on the page and on the paper."""
    session, who = db.session(), current_principal()
    row = views.with_manifest(session, who, transfer_id)
    assert row.manifest_command is not None
    note_reading(
        "transfer_manifest",
        count=row.manifest_entries,
        action="transfer.exported",
        subject=f"transfer:{row.id}",
    )
    command = row.manifest_command

    def lines() -> Iterator[bytes]:
        yield from manifest_store.lines(db.session(), command)

    return _file(stream_with_context(lines()), "application/jsonl; charset=utf-8", f"manifest-{row.id}.jsonl")


def _file(body: Any, content_type: str, name: str) -> Response:
    answer = Response(body, content_type=content_type)
    answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    return answer
