"""A draft of the allow-list: what it changes, what it would do to today's fleet; only from here it is saved."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, flash, render_template, request

from app.allowlist import drafting, fleet_store, store
from app.allowlist.comparison_rules import ORDER, STATUS_WORDS, summed
from app.allowlist.counting import judge_portion, note_portion
from app.allowlist.editing import Layer
from app.allowlist.layering import WRITERS, below, layer_now
from app.allowlist.listing import finding_page, phone_page, phone_rows
from app.allowlist.model import AllowlistDraft
from app.allowlist.shared_pages import attachment, count_first, refused, to_draft, told
from app.allowlist.states import WORDS, State
from app.allowlist.words import differences
from app.compliance import subject_words, title_of
from app.http.access import access
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.http.pages import day, page_now, see_other
from app.http.transaction import open_write
from app.kernel.db import db
from app.kernel.errors import DomainError, Stale
from app.kernel.ids import parse_id
from app.kernel.texts import one_line
from app.labels import labels_for
from app.people import names_of
from app.registry import write_xlsx
from app.runtime import runtime

allowlist_draft_pages = Blueprint("allowlist_draft_pages", __name__)
_ROWS = 50
_DRAFT = "/allowlist/drafts/<uuid:draft_id>"


@allowlist_draft_pages.get(_DRAFT)
@access(*WRITERS)
def draft(draft_id: uuid.UUID) -> str:
    return _page(drafting.find(db.session(), current_principal(), draft_id))


def _page(row: AllowlistDraft, refusal: DomainError | None = None, reason: str = "") -> str:
    session, who, files, args = db.session(), current_principal(), runtime().policies, request.args
    place = drafting.place_of(row)
    current, lower = layer_now(session, who, files, place), below(session, files, place)
    base = Layer(current.body, lower).effective
    show = "phones" if args.get("show") == "phones" else "findings"
    way = "vanishes" if args.get("way") == "vanishes" else "appears"
    code, subject = one_line(args.get("code", ""), 60), args.get("subject", "")[:600]
    listed: Any
    if show == "phones":
        listed = phone_page(
            session, row.id, code=code, subject=subject, cursor=args.get("cursor"), limit=_ROWS
        )
    else:
        listed = finding_page(session, row.id, way, cursor=args.get("cursor"), limit=_ROWS)
    return render_template(
        "allowlist/draft.html", row=row, words=WORDS[State(row.state)], current=current, listed=listed, show=show,
        way=way, code=code, subject=subject, changed=differences(base, Layer(row.body, lower).effective),
        names=names_of(session, {current.row.created_by} if current.row else ()), name=_name_of(row),
        tallies=store.counted_findings(session, row.id), about=_about(row, code, subject),
        figures=_figures(row), moves=_moves(row), refusal=refusal, reason=reason,
        open=drafting.is_open(row), status_words=STATUS_WORDS, centre=parse_id(args.get("centre", "")),
    )  # fmt: skip


def _about(row: AllowlistDraft, code: str, subject: str) -> str:
    """The finding that the list of phones is narrowed to, in words; empty for none."""
    if not code:
        return ""
    session, centre = db.session(), row.scope_id if row.scope == "centre" else None
    words = subject_words(subject, "", labels_for(session, runtime().policies, centre)) if subject else ""
    return f"{title_of(code)}：{words}" if words else title_of(code)


def _name_of(row: AllowlistDraft) -> str:
    """Whose list it is, as the page's headline says it."""
    for centre, centre_name, district, district_name in fleet_store.places(db.session(), current_principal()):
        if row.scope_id == centre:
            return centre_name
        if row.scope_id == district:
            return f"{district_name}（大区）"
    return "已停用的服务中心" if row.scope == "centre" else "没有服务中心的大区"


def _counted(row: AllowlistDraft) -> dict[tuple[str, str], int]:
    """(before, after) → phones."""
    return {(before, after): n for move, n in row.moves.items() for before, _, after in [move.partition(">")]}


def _figures(row: AllowlistDraft) -> list[tuple[str, int, int]]:
    """Verdict, phones before, phones after; the worst first."""
    before, after = summed(_counted(row), 0), summed(_counted(row), 1)
    return [(status, before[status], after[status]) for status in reversed(ORDER)]


def _moves(row: AllowlistDraft) -> list[tuple[str, str, int]]:
    """From what to what how many phones would go, those that grow worse first."""
    found = [(before, after, n) for (before, after), n in _counted(row).items() if before != after]
    return sorted(found, key=lambda move: (ORDER.index(move[0]) - ORDER.index(move[1]), -move[2]))


@allowlist_draft_pages.post(f"{_DRAFT}/count")
@access(*WRITERS, late_transaction=True)
def count(draft_id: uuid.UUID) -> Response:
    """Judge the next phones: first reading only, for the write lock is everybody's, then a short write."""
    session, who, now = db.session(), current_principal(), page_now()
    portion = judge_portion(session, who, runtime().policies, draft_id, now)
    session.rollback()  # a write transaction must be one from its first statement
    writer = open_write()
    row = drafting.find(writer, who, draft_id)
    if portion is not None:
        row = note_portion(writer, who, draft_id, portion, now)
    if "HX-Request" in request.headers:
        return Response(
            render_template("allowlist/_counting.html", row=row), content_type="text/html; charset=utf-8"
        )
    return see_other(f"/allowlist/drafts/{draft_id}")


@allowlist_draft_pages.post(f"{_DRAFT}/save")
@access(*WRITERS)
def save(draft_id: uuid.UUID) -> Response:
    session, who, form = db.session(), current_principal(), request.form
    given = form.get("version", "")
    version = int(given) if given.isascii() and given.isdecimal() and len(given) <= 9 else 0
    try:
        row = drafting.save(
            session,
            who,
            runtime().policies,
            draft_id,
            version=version,
            reason=form.get("reason", ""),
            now=page_now(),
        )
    except DomainError as exc:
        session.rollback()
        # The draft stays, and what was typed with it; the page says what stands in the way and what to do.
        return refused(
            exc, _page(drafting.find(session, who, draft_id), exc, one_line(form.get("reason", ""), 500))
        )
    flash(f"已保存为第 {row.version} 版，正在按新的名单重新检查手机。", "success")
    if row.scope == "centre":
        return see_other(f"/allowlist?centre={row.scope_id}")
    return see_other("/allowlist?scope=district")


@allowlist_draft_pages.post(f"{_DRAFT}/<any(recount, rebase, drop):act>")
@access(*WRITERS)
def move(draft_id: uuid.UUID, act: str) -> Response:
    """Count anew; put the draft over what others saved meanwhile; or drop it."""
    session, who, now = db.session(), current_principal(), page_now()
    try:
        with session.begin_nested():
            if act == "drop":
                drafting.drop(session, who, draft_id)
            elif act == "rebase":
                _rebase(draft_id)
            else:
                drafting.recount(session, who, draft_id)
            if act != "drop":
                count_first(who, draft_id, now)
    except DomainError as exc:
        flash(told(exc), "error")
        return to_draft(draft_id)
    if act == "drop":
        flash("草稿已放弃，名单没有变化。", "success")
        return see_other("/allowlist")
    return to_draft(draft_id)


def _rebase(draft_id: uuid.UUID) -> None:
    session, who, files = db.session(), current_principal(), runtime().policies
    row = drafting.find(session, who, draft_id)
    version, body, clashes = drafting.rebased(session, who, files, row)
    if version == row.base_version:
        raise Stale("没有比这份草稿更新的版本 / nothing newer")
    drafting.change(session, who, files, draft_id, body, base_version=version)
    if clashes:
        places = "、".join(".".join(change.path) for change in clashes[:10])
        flash(f"有 {len(clashes)} 处他人也改了，这里保留您的：{places}。请核对下面的差别。", "warning")
    else:
        flash("您的修改已放到最新版本上，请再看一遍影响。", "success")


@allowlist_draft_pages.get(f"{_DRAFT}/phones.xlsx")
@access(*WRITERS)
def export(draft_id: uuid.UUID) -> Response:
    """Each phone for which something would change."""
    session = db.session()
    row = drafting.find(session, current_principal(), draft_id)
    counted, at = row.counted, page_now()
    with tempfile.TemporaryDirectory(prefix="butler-export-") as folder:
        path = Path(folder) / "export.xlsx"
        write_xlsx(_cells(draft_id), path, _Titled())
        data = path.read_bytes()
    note_reading(
        "allowlist_draft", count=counted, action="allowlist.preview_exported", subject=f"draft:{draft_id}"
    )
    return attachment(data, f"应用名单-影响-{day(at)}.xlsx", f"allowlist-preview-{day(at)}.xlsx")


class _Titled:
    label = "影响"


def _cells(draft_id: uuid.UUID) -> Iterator[list[str]]:
    yield ["资产编号", "服务中心", "品牌", "型号", "现在", "改后", "新出现", "不再有"]
    for line in phone_rows(db.session(), draft_id):
        yield [line.tag, line.centre, line.brand, line.model, STATUS_WORDS[line.before], STATUS_WORDS[line.after],
               "\n".join(s["zh"] for s in line.appears), "\n".join(s["zh"] for s in line.vanishes)]  # fmt: skip
