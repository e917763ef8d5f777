"""Every act on a wipe by a form. What is typed, and a code, are counted before the act's own transaction begins."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, request
from sqlalchemy.orm import Session

from app.http.access import access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.http.transaction import open_write
from app.http.uploads import photos_of
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line, wrong
from app.wipe import asking, drafting, entry, guiding, releasing, store
from app.wipe.hook import tools
from app.wipe.pages import MAX_PHOTOS, refused, wipe_page
from app.wipe.rules import CHECKLIST
from app.wipe.ticking import count
from app.wipe.tools import ASKERS, wipe_path

wipe_act_pages = Blueprint("wipe_act_pages", __name__)


@dataclass(frozen=True)
class Given:
    """A form as the edge took it in. `photo`: a JPEG, None when none came."""

    session: Session
    who: Principal
    wipe: uuid.UUID
    form: Mapping[str, str]
    photo: bytes | None
    now: dt.datetime

    def text(self, name: str) -> str:
        return self.form.get(name, "")


def _fill(g: Given) -> Any:
    answers = {
        item: drafting.Answer(g.form.get(f"answer-{item}", "unknown"), g.text(f"words-{item}"))
        for item in CHECKLIST
    }
    draft = drafting.Draft(g.text("strategy"), g.text("reason"), g.text("destination"), answers)
    return drafting.fill(g.session, g.who, g.wipe, draft, version=_version(g.text("version")), now=g.now)


def _version(text: str) -> int:
    """The version that the form was made from. Raise `Invalid` for a form that names none."""
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise wrong("version", "表单不完整，请刷新后重试 / the form is not whole")
    return int(text)


def _request(g: Given) -> Any:
    tag, six = g.text("tag"), g.text("imei6")
    return asking.request(g.session, g.who, tools(), g.wipe, typed_tag=tag, typed_imei6=six, now=g.now)


def _approve(g: Given) -> Any:
    return asking.approve(
        g.session, g.who, tools(), g.wipe, waive_reason=g.text("waive_reason"), now=g.now
    )  # fmt: skip


def _release(g: Given) -> Any:
    _in_hand(g)
    return releasing.release(
        g.session, g.who, tools(), g.wipe, typed_tag=g.text("tag"), typed_imei6=g.text("imei6"),
        imei_typed=g.text("imei_typed").strip() or None, now=g.now,
    )  # fmt: skip


def _guide(g: Given) -> Any:
    _in_hand(g)
    return guiding.begin_guided(
        g.session, g.who, tools(), g.wipe, typed_tag=g.text("tag"), typed_imei6=g.text("imei6"),
        imei_typed=g.text("imei_typed").strip() or None, photo=g.photo, now=g.now,
    )  # fmt: skip


def _in_hand(g: Given) -> None:
    if g.text("in_hand") != "yes":
        raise wrong("in_hand", "请确认手里拿的就是这一台 / confirm that it is the phone in your hand")


def _report(g: Given) -> Any:
    done, words = g.text("done") == "yes", one_line(g.text("words"), 400)
    if done:
        words = _ticked(g, words)
    return guiding.report_reset(g.session, g.who, g.wipe, done=done, words=words, now=g.now)


def _ticked(g: Given, words: str) -> str:
    """All steps were ticked off one by one. Raise `Invalid` when one is left."""
    steps = count(store.find(g.session, g.who, g.wipe))
    if any(g.text(f"tick-{place}") != "yes" for place in range(steps)):
        raise wrong("tick", "每一步都做完并勾选后再报告 / tick off each step")
    return one_line(f"{steps} 步逐项完成。{words}", 500)


@dataclass(frozen=True)
class Act:
    """`done`: what is said afterwards. `typed`: tag and last six of the IMEI are looked at first; `code`: a code is."""

    done: str
    perform: Callable[[Given], Any]
    typed: bool = False
    code: bool = False


ACTS: Mapping[str, Act] = {
    "fill": Act("清单已保存。", _fill),
    "request": Act("已提交，等另一人批准。", _request, typed=True),
    "approve": Act("已批准。", _approve, code=True),
    "refuse": Act(
        "已退回申请人。",
        lambda g: asking.refuse_request(g.session, g.who, g.wipe, reason=g.text("reason"), now=g.now),
    ),
    "withdraw": Act(
        "已撤回，回到草稿；要重新批准。",
        lambda g: asking.withdraw(g.session, g.who, g.wipe, reason=g.text("reason"), now=g.now),
    ),
    "cancel": Act(
        "已取消，手机没有任何变化。",
        lambda g: asking.cancel(g.session, g.who, g.wipe, reason=g.text("reason"), now=g.now),
    ),
    "release": Act("指令已排队，等网关来取；不要拔线。", _release, typed=True),
    "recall": Act(
        "指令已收回，手机没有任何变化。",
        lambda g: releasing.recall(g.session, g.who, g.wipe, reason=g.text("reason"), now=g.now),
    ),
    "guide": Act("已记下开始。现在照下面的步骤在手机上操作。", _guide, typed=True),
    "report": Act("已记下。", _report),
    "retry": Act(
        "可以再执行一次。",
        lambda g: releasing.retry(g.session, g.who, g.wipe, reason=g.text("reason"), now=g.now),
    ),
}


@wipe_act_pages.post(
    "/wipes/<uuid:wipe_id>/<any(fill, request, approve, refuse, withdraw, cancel, release, recall, guide, report,"
    " retry):act>"
)
@access(*ASKERS, late_transaction=True)
def act_on_wipe(wipe_id: uuid.UUID, act: str) -> Response:
    """Each act checks for itself who may do it."""
    chosen, form = ACTS[act], request.form
    try:
        photos = photos_of(request.files.getlist("photo"), MAX_PHOTOS)
        if chosen.typed:
            entry.typed(wipe_id, form.get("tag", ""), form.get("imei6", ""))
        who = entry.proved_code(form.get("code", "")) if chosen.code else current_principal()
        photo = photos[0].data if photos else None
        chosen.perform(Given(open_write(), who, wipe_id, form, photo, page_now()))
    except DomainError as exc:
        db.session().rollback()
        return refused(exc, wipe_page(wipe_id, exc, act))
    flash(chosen.done, "success")
    return see_other(wipe_path(wipe_id))
