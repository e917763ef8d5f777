"""What is written down on a leg's pages. Each card saves itself (htmx); without scripts the same forms work."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, render_template, request
from werkzeug.datastructures import FileStorage

from app.escrow import ask_lock_check, blind_check
from app.handover import items, reading, store, testing
from app.handover.leg_pages import (
    card_words,
    counts_page,
    items_page,
    open_leg,
    page_of_tests,
    refused,
)
from app.handover.leg_views import item_cards
from app.handover.model import HandoverItem, HandoverPhoto
from app.http.access import access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other, zh
from app.http.transaction import open_write, read_apart
from app.http.uploads import photos_of
from app.kernel.db import db
from app.kernel.errors import Conflict, DomainError, FieldError, Forbidden, Invalid, NotFound
from app.people import names_of
from app.policy import effective
from app.runtime import runtime

item_pages = Blueprint("handover_item_pages", __name__)
_DESK = store.DESK
_PRESENT = {"yes": True, "no": False}


def _live() -> bool:
    return "HX-Request" in request.headers


@item_pages.post("/handovers/items/<uuid:item_id>")
@access(*_DESK)
def save(item_id: uuid.UUID) -> Response | str:
    session, who, form = db.session(), current_principal(), request.form
    item = store.one(session, HandoverItem, item_id)
    given = items.ItemInput(
        _PRESENT.get(form.get("present", "")), form.get("condition", ""), form.get("words", "")
    )
    try:
        items.save_item(
            session, who, item_id, given, version=_whole(form.get("version", "")), policies=runtime().policies,
            now=page_now(),
        )  # fmt: skip
    except DomainError as exc:
        session.rollback()
        return _refused_card(item.leg_id, item_id, exc, given.words)
    if not _live():
        return see_other(f"{_items_path(item.leg_id)}#item-{item_id}")
    return _card("handover/_saved.html", item.leg_id, item_id)


def _items_path(leg_id: uuid.UUID) -> str:
    return f"/handovers/legs/{leg_id}/items"


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Invalid("请刷新页面后再改 / reload the page first") from None


def _refused_card(leg_id: uuid.UUID, item_id: uuid.UUID, error: DomainError, words: str) -> Response | str:
    """The card as it stands now, with what was refused and what he wrote: he decides with both before him."""
    if not _live():
        return items_page(leg_id, error)
    told = refused(_card("handover/_card.html", leg_id, item_id, refusal=error, typed=words), error)
    told.headers["HX-Retarget"], told.headers["HX-Reswap"] = f"#item-{item_id}", "outerHTML"
    return told


def _card(
    template: str,
    leg_id: uuid.UUID,
    item_id: uuid.UUID,
    *,
    refusal: DomainError | None = None,
    typed: str = "",
    dropped: uuid.UUID | None = None,
) -> str:
    session, found = db.session(), open_leg(leg_id, "items")
    row = next((r for r in reading.items_of(session, leg_id, removed=True) if r.id == item_id), None)
    if row is None:
        raise NotFound("清单里没有这一项 / no such thing on the list")
    (line,) = item_cards(session, found.leg, [row], found.body)
    return render_template(
        template, **card_words(found), line=line, refusal=refusal, typed=typed, dropped=dropped
    )


@item_pages.post("/handovers/items/<uuid:item_id>/same")
@access(*_DESK)
def same(item_id: uuid.UUID) -> Response | str:
    session = db.session()
    leg_id = store.one(session, HandoverItem, item_id).leg_id
    try:
        filled = items.same_as_last(session, current_principal(), leg_id, item_id=item_id, now=page_now())
        if not filled:
            raise Conflict("上次的记录里没有这一项 / the record before does not have it")
    except Conflict as exc:
        session.rollback()
        return _refused_card(leg_id, item_id, exc, "")
    if _live():
        return _card("handover/_card.html", leg_id, item_id)
    return see_other(f"{_items_path(leg_id)}#item-{item_id}")


@item_pages.post("/handovers/legs/<uuid:leg_id>/same")
@access(*_DESK)
def all_same(leg_id: uuid.UUID) -> Response | str:
    def act() -> str:
        filled = items.same_as_last(db.session(), current_principal(), leg_id, now=page_now())
        return f"{filled} 件已按上次的记录填好，有不一样的请改。"

    return _do(act, _items_path(leg_id), lambda exc: items_page(leg_id, exc))


@item_pages.post("/handovers/legs/<uuid:leg_id>/items")
@access(*_DESK)
def add(leg_id: uuid.UUID) -> Response | str:
    form = request.form

    def act() -> str:
        row = items.add_item(
            db.session(), current_principal(), leg_id, category="accessory", name=form.get("name", ""),
            identifier=form.get("identifier", ""), now=page_now(),
        )  # fmt: skip
        return f"已添加：{row.name}。"

    return _do(act, _items_path(leg_id), lambda exc: items_page(leg_id, exc, form))


@item_pages.post("/handovers/items/<uuid:item_id>/<any(remove, restore):act>")
@access(*_DESK)
def take_off(item_id: uuid.UUID, act: str) -> Response | str:
    session, who = db.session(), current_principal()
    leg_id = store.one(session, HandoverItem, item_id).leg_id

    def perform() -> str:
        if act == "restore":
            return f"已放回清单：{items.restore_item(session, who, item_id, now=page_now()).name}。"
        reason = request.form.get("reason", "")
        row = items.remove_item(session, who, item_id, reason=reason, now=page_now())
        return f"已移出清单：{row.name}。误点了可以在它的卡片里放回。"

    return _do(perform, f"{_items_path(leg_id)}#item-{item_id}", lambda exc: items_page(leg_id, exc))


@item_pages.post("/handovers/items/<uuid:item_id>/photos")
@access(*_DESK, late_transaction=True)
def add_photos(item_id: uuid.UUID) -> Response | str:
    """Read and shrunk before the write begins: a slow camera holds up nobody."""
    who, here, now = current_principal(), runtime(), page_now()
    with read_apart() as reader:
        item = store.one(reader, HandoverItem, item_id)
        case, _ = reading.find_leg(reader, who, item.leg_id)
        most = effective(reader, here.policies, "handover", case.centre_id).body["photos_per_item"]
    leg_id, refusal = item.leg_id, None
    try:
        pictures = photos_of(_uploads(), most)
        session = open_write()
        for picture in pictures:
            sha256 = here.blobs.put(session, picture.data, "image/jpeg", now)
            items.add_photo(session, who, item_id, sha256, policies=here.policies, now=now)
    except DomainError as exc:
        db.session().rollback()
        refusal = exc
    return _photos(leg_id, item_id, refusal)


def _uploads() -> list[FileStorage]:
    found = [upload for upload in request.files.getlist("photos") if upload.filename]
    if not found:
        raise Invalid("请先拍照或选照片", fields=[FieldError("photos", "required", "请先拍照或选照片")])
    return found


def _photos(
    leg_id: uuid.UUID,
    item_id: uuid.UUID,
    refusal: DomainError | None = None,
    dropped: uuid.UUID | None = None,
) -> Response | str:
    if not _live():
        return items_page(leg_id, refusal) if refusal else see_other(f"{_items_path(leg_id)}#item-{item_id}")
    page = _card("handover/_photos.html", leg_id, item_id, refusal=refusal, dropped=dropped)
    if refusal is None:
        return page
    told = refused(page, refusal)
    told.headers["HX-Retarget"], told.headers["HX-Reswap"] = f"#photos-{item_id}", "outerHTML"
    return told


@item_pages.post("/handovers/photos/<uuid:photo_id>/<any(drop, restore):act>")
@access(*_DESK)
def photo(photo_id: uuid.UUID, act: str) -> Response | str:
    session, who = db.session(), current_principal()
    row = store.one(session, HandoverPhoto, photo_id)
    item_id, leg_id = row.item_id, store.one(session, HandoverItem, row.item_id).leg_id
    perform = items.drop_photo if act == "drop" else items.restore_photo
    try:
        perform(session, who, photo_id, now=page_now())
    except Conflict as exc:
        session.rollback()
        return _photos(leg_id, item_id, exc)
    return _photos(leg_id, item_id, dropped=photo_id if act == "drop" else None)


@item_pages.post("/handovers/legs/<uuid:leg_id>/tests/read")
@access(*_DESK)
def ask_reading(leg_id: uuid.UUID) -> Response | str:
    def act() -> str:
        asked = testing.ask_tests(db.session(), current_principal(), leg_id, now=page_now())
        return "已请网关读手机。" if asked else "清单里没有能读的手机，检测保持“未知”。"

    return _do(act, f"/handovers/legs/{leg_id}/tests", lambda exc: page_of_tests(leg_id, exc))


@item_pages.post("/handovers/legs/<uuid:leg_id>/tests/<key>")
@access(*_DESK)
def hand_test(leg_id: uuid.UUID, key: str) -> Response | str:
    form = request.form
    if _live():
        return _live_hand_test(leg_id, key)

    def act() -> str:
        items.save_hand_test(
            db.session(), current_principal(), leg_id, key, form.get("result", ""), form.get("words", ""),
            policies=runtime().policies, now=page_now(),
        )  # fmt: skip
        return "已保存检测结果。"

    return _do(act, f"/handovers/legs/{leg_id}/tests", lambda exc: page_of_tests(leg_id, exc))


def _live_hand_test(leg_id: uuid.UUID, key: str) -> str:
    form = request.form
    row = items.save_hand_test(
        db.session(), current_principal(), leg_id, key, form.get("result", ""), form.get("words", ""),
        policies=runtime().policies, now=page_now(),
    )  # fmt: skip
    found = open_leg(leg_id, "tests")
    test = {"at": row.at, "by": names_of(db.session(), {row.by}).get(row.by, "")}
    return render_template("handover/_hand.html", head=found.head, test=test, zh=zh)


@item_pages.post("/handovers/legs/<uuid:leg_id>/passwords/<uuid:secret_id>/check")
@access(*_DESK, late_transaction=True)
def check_password(leg_id: uuid.UUID, secret_id: uuid.UUID) -> Response:
    """The try is counted, and what was found is written, each in a transaction of its own; this one only answers."""
    _of_this_leg(leg_id, secret_id)
    try:
        matched = blind_check(secret_id, request.form.get("typed", ""))
    except DomainError as exc:
        open_write()
        flash(zh(exc.detail), "error")
        return see_other(f"/handovers/legs/{leg_id}/passwords")
    open_write()
    if matched:
        flash("一致。", "success")
    else:
        flash("不一致：和备案的不同。请再问清楚；仍不一致的，要另行备案并查明原因（R07）。", "error")
    return see_other(f"/handovers/legs/{leg_id}/passwords")


@item_pages.post("/handovers/legs/<uuid:leg_id>/passwords/<uuid:secret_id>/on-phone")
@access(*_DESK)
def check_on_phone(leg_id: uuid.UUID, secret_id: uuid.UUID) -> Response:
    _of_this_leg(leg_id, secret_id)
    session, here, who = db.session(), runtime(), current_principal()
    try:
        with session.begin_nested():
            ask_lock_check(session, who, secret_id, vault=here.vault, now=page_now())
    except DomainError as exc:
        flash(zh(exc.detail), "error")
    else:
        flash("已请网关在手机上核对一次，结果稍后显示在这里。", "success")
    return see_other(f"/handovers/legs/{leg_id}/passwords")


def _of_this_leg(leg_id: uuid.UUID, secret_id: uuid.UUID) -> None:
    """Raise `NotFound` for a password of something that is not on this leg's list."""
    with read_apart() as reader:
        _, leg = reading.find_leg(reader, current_principal(), leg_id)
        known = testing.secrets_of(reader, leg, policies=runtime().policies, now=page_now())
    if secret_id not in {state.id for state in known}:
        raise NotFound("这份清单里没有这个密码 / no password of this list")


@item_pages.post("/handovers/legs/<uuid:leg_id>/counts")
@access(*_DESK)
def save_counts(leg_id: uuid.UUID) -> Response | str:
    form = request.form

    def act() -> str:
        counted = {name[6:]: _count(name, text) for name, text in form.items() if name.startswith("count-")}
        items.save_counts(
            db.session(), current_principal(), leg_id, counted, by=form.get("by", ""),
            version=_whole(form.get("version", "")), policies=runtime().policies, now=page_now(),
        )  # fmt: skip
        return "已保存数量。"

    return _do(act, f"/handovers/legs/{leg_id}/counts", lambda exc: counts_page(leg_id, exc, form))


def _count(name: str, text: str) -> int | None:
    if not text.strip():
        return None
    try:
        return int(text)
    except ValueError:
        raise Invalid(
            "数量请填整数", fields=[FieldError(name, "invalid", "请填整数，不知道就留空")]
        ) from None


@item_pages.post("/handovers/legs/<uuid:leg_id>/exceptions")
@access(*_DESK, "butler")
def add_exception(leg_id: uuid.UUID) -> Response | str:
    form = request.form

    def act() -> str:
        items.add_exception(
            db.session(),
            current_principal(),
            leg_id,
            form.get("side", ""),
            form.get("words", ""),
            now=page_now(),
        )
        return "异议已写入，永久保留。"

    back = f"/handovers/legs/{leg_id}/counts"
    return _do(act, f"{back}#exceptions", lambda exc: counts_page(leg_id, exc, form))


def _do(act: Callable[[], str], back: str, again: Callable[[DomainError], Any]) -> Response | str:
    """Act and go on, or the page again with what was refused: then nothing was written."""
    try:
        done = act()
    except DomainError as exc:
        if isinstance(exc, NotFound | Forbidden):
            raise
        db.session().rollback()
        page: Response | str = again(exc)
        return page
    flash(done, "success")
    return see_other(back)
