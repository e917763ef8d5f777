"""The second person (R06): he looks for himself where no gateway can read, and says what the inspections mean.

Whoever released or carried out the wipe never inspects it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.audit import MARK
from app.kernel.errors import Conflict, FieldError, Forbidden, Invalid
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line, required, wrong
from app.registry import normal_imei
from app.wipe import store
from app.wipe.grading_rules import CERTIFIABLE, GRADE_WORDS, SEEN, Grade, Graded
from app.wipe.inspecting import by_hand_row, keep
from app.wipe.inspection_model import WipeInspection
from app.wipe.judging import judge
from app.wipe.marks import verdict_mark
from app.wipe.model import Wipe
from app.wipe.noting import write_step
from app.wipe.states import INSPECTABLE, Event, State
from app.wipe.tools import MAX_REASON, Tools

INSPECTORS = ("lead",)
PHOTO_KINDS: Mapping[str, str] = {
    "welcome": "开机欢迎画面", "imei": "*#06# 显示的 IMEI", "label": "机身标签", "storage": "存储页面", "other": "其他",
}  # fmt: skip
MUST_PHOTOS = ("welcome", "imei", "label")
MAX_PHOTOS = 8
_HERE = (*INSPECTABLE, State.VERIFIED, State.CERTIFIED)


@dataclass(frozen=True)
class ByHand:
    """What somebody saw. `photos`: kind and picture; `typed_imei`: as he read it from `*#06#`, "" for none."""

    seen: Mapping[str, str]
    typed_imei: str
    photos: Sequence[tuple[str, bytes]]
    words: str


def may_inspect(principal: Principal, wipe: Wipe) -> bool:
    """A lead of the centre (or his deputy) who has not carried it out himself."""
    return principal.may(wipe.centre_id, *INSPECTORS) and principal.user != wipe.released_by


def _require_second(principal: Principal, wipe: Wipe) -> None:
    principal.require_role(wipe.centre_id, *INSPECTORS)
    principal.require_person()
    if principal.user == wipe.released_by:
        raise Forbidden(
            "执行的人不能检查自己的工作，请另一位主管检查 / who performed it does not inspect it",
            code="second_person",
        )


def inspect_by_hand(
    session: Session,
    principal: Principal,
    wipe_id: uuid.UUID,
    given: ByHand,
    *,
    tools: Tools,
    now: dt.datetime,
) -> WipeInspection:
    """Take down what a second person saw on the phone, with his photos.

    Raise `NotFound`, `Forbidden` (`second_person`), `Conflict` (`wipe_state`), `Invalid` naming the field.
    """
    wipe = store.find(session, principal, wipe_id)
    _require_second(principal, wipe)
    if wipe.state not in _HERE:
        raise Conflict("还没有执行，不能检查 / nothing was ordered yet", code="wipe_state")
    row = by_hand_row(wipe, principal.user, now)
    row.seen = {key: _answer(given.seen.get(key, "")) for key in SEEN}
    row.typed_imei = _imei(given.typed_imei)
    row.photos = _photos(session, given.photos, tools, now)
    row.words = one_line(given.words, MAX_REASON)
    keep(session, wipe, row, tools.policies, now)
    return row


def read_off_imei(
    session: Session,
    principal: Principal,
    wipe_id: uuid.UUID,
    typed_imei: str,
    *,
    tools: Tools,
    now: dt.datetime,
) -> WipeInspection:
    """Take down the IMEI that a second person read from `*#06#` after the order, where a gateway reads all else but
    the phone hides it. Another phone's is kept, too: it tells against. Raise as `inspect_by_hand`.
    """
    wipe = store.find(session, principal, wipe_id)
    _require_second(principal, wipe)
    if wipe.state not in _HERE:
        raise Conflict("还没有执行，不能检查 / nothing was ordered yet", code="wipe_state")
    row = by_hand_row(wipe, principal.user, now)
    row.typed_imei = _imei(typed_imei)
    if row.typed_imei is None:
        raise wrong("typed_imei", "拨 *#06#，输入显示的 15 位 IMEI / dial *#06#")
    keep(session, wipe, row, tools.policies, now)
    return row


def _answer(text: str) -> str:
    if text not in ("yes", "no", "unknown"):
        raise wrong("seen", "每一项都要回答：是、否或没有看到 / answer each item")
    return text


def _imei(text: str) -> str | None:
    digits = "".join(text.split())
    if not digits:
        return None
    try:
        return normal_imei(digits)
    except ValueError:
        raise wrong(
            "typed_imei", "IMEI 不对：15 位数字，最后一位要对得上，请照 *#06# 再输一次 / no IMEI"
        ) from None


def _photos(
    session: Session, photos: Sequence[tuple[str, bytes]], tools: Tools, now: dt.datetime
) -> list[dict[str, str]]:
    if len(photos) > MAX_PHOTOS:
        raise wrong("photos", f"最多 {MAX_PHOTOS} 张照片 / at most {MAX_PHOTOS} photos")
    named = [(kind if kind in PHOTO_KINDS else "other", data) for kind, data in photos]
    rows = [
        {"kind": kind, "sha256": tools.blobs.put(session, data, "image/jpeg", now)} for kind, data in named
    ]
    missing = [PHOTO_KINDS[kind] for kind in MUST_PHOTOS if kind not in [row["kind"] for row in rows]]
    if missing:
        raise wrong("photos", f"还缺照片：{'、'.join(missing)} / photos are missing")
    if len({row["sha256"] for row in rows}) < len(rows):
        raise wrong("photos", "同一张照片交了两次 / the same photo twice")
    return rows


def verify(
    session: Session, principal: Principal, wipe_id: uuid.UUID, *, grade_seen: str, words: str, tools: Tools,
    now: dt.datetime,
) -> Wipe:  # fmt: skip
    """The second person says that the inspections show the phone erased. Nothing but a certifiable grade gets there.

    `grade_seen`: the grade on the page that he read. Raise `NotFound`, `Forbidden` (`second_person`), `Conflict`
    (`wipe_state`, `grade`: it is another by now, or none that can be confirmed).
    """
    wipe, graded = _graded(session, principal, wipe_id, grade_seen, tools)
    if graded.grade not in CERTIFIABLE:
        raise Conflict(
            f"检查结论是“{GRADE_WORDS[graded.grade]}”，不能确认为已清除 / this grade cannot be confirmed",
            code="grade",
        )
    said = one_line(words, MAX_REASON)
    if graded.grade is Grade.WARNINGS and not said:
        raise Invalid(
            "有保留事项，请写明为什么可以接受 / say why the warnings are acceptable",
            fields=[FieldError("words", "missing", "请写明理由")],
        )
    store.move(
        session, wipe, Event.VERIFY, now, grade=str(graded.grade), verified_by=principal.user, verified_at=now
    )
    write_step(
        session,
        wipe,
        "verify",
        said or GRADE_WORDS[graded.grade],
        principal.user,
        now,
        grade=str(graded.grade),
        **{MARK: verdict_mark(wipe)},
    )
    return wipe


def confirm_failed(
    session: Session, principal: Principal, wipe_id: uuid.UUID, *, words: str, tools: Tools, now: dt.datetime
) -> Wipe:
    """The second person says that the phone was not erased. Raise as `verify`, `Invalid` without a word why."""
    wipe, graded = _graded(session, principal, wipe_id, Grade.FAILED, tools)
    said = required(words, "words", "请写明检查发现了什么 / say what was found")
    store.move(session, wipe, Event.FAIL, now, grade=str(graded.grade))
    write_step(session, wipe, "fail", said, principal.user, now, grade=str(graded.grade))
    return wipe


def _graded(
    session: Session, principal: Principal, wipe_id: uuid.UUID, grade_seen: str, tools: Tools
) -> tuple[Wipe, Graded]:
    wipe = store.find(session, principal, wipe_id)
    _require_second(principal, wipe)
    graded = judge(session, wipe, tools.policies)
    if wipe.state != State.INSPECTED or graded is None:
        raise Conflict("现在没有待确认的检查，请刷新 / nothing waits to be confirmed", code="wipe_state")
    if str(graded.grade) != grade_seen:
        raise Conflict(
            f"检查结论现在是“{GRADE_WORDS[graded.grade]}”，请重新看过 / the grade changed", code="grade"
        )
    return wipe, graded
