"""What people decide: differences, WeChat's own migration, and that there is nothing to move."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.kernel.errors import Conflict, Forbidden
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line, required, wrong
from app.transfer import store
from app.transfer.model import Transfer, TransferWechat
from app.transfer.noting import ask, done, write_step
from app.transfer.settling import end, settle
from app.transfer.states import AT_REST, FINAL, Event, State
from app.transfer.tools import DOERS, LEADS, MAX_PHOTOS, Tools

_MOST = 1_000_000


@dataclass(frozen=True)
class Wechat:
    """What somebody saw. `before`, `after`: conversations on the old and on the new phone, None: not counted."""

    outcome: str
    began_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None
    before: int | None = None
    after: int | None = None
    words: str = ""
    photos: tuple[bytes, ...] = ()


def accept_data(
    session: Session, principal: Principal, transfer_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> Transfer:
    """A lead takes the listed differences, for a reason. Raise `Forbidden` for whoever ran the transfer."""
    row = _for_lead(session, principal, transfer_id, lambda found: found.run_by)
    if row.manifest_command is None or row.manifest_command != row.command_id:
        raise Conflict("没有完整的清单，看不到差了什么：请先重试 / nothing is listed", code="no_manifest")
    words = required(reason, "reason", "请写明为什么可以接受 / say why")
    store.move(
        session,
        row,
        Event.ACCEPT_DATA,
        data_reason=words,
        data_accepted_by=principal.user,
        data_accepted_at=now,
    )
    write_step(session, row, "accept_data", words, principal.user, now, manifest=row.manifest_sha256 or "")
    done(session, row, principal.user, "差异已接受", now)
    settle(session, row, principal.user, now)
    return row


def record_wechat(
    session: Session,
    principal: Principal,
    tools: Tools,
    transfer_id: uuid.UUID,
    given: Wechat,
    now: dt.datetime,
) -> Transfer:
    """What came of WeChat's own migration, with screenshots; a later record takes the earlier one's place.

    Raise `Invalid` without a picture of what is said to have been moved, or without words where it was not.
    """
    row = store.find(session, principal, transfer_id)
    principal.require_role(row.centre_id, *DOERS)
    if row.state in FINAL:
        raise Conflict("这次迁移已结束 / this transfer is over", code="transfer_state")
    words = _checked(given, now)
    # The row's lock: of two records at once the later one must find what a lead accepted gone.
    store.change(session, row, wechat_reason=None, wechat_accepted_by=None, wechat_accepted_at=None)
    photos = [tools.blobs.put(session, photo, "image/jpeg", now) for photo in given.photos]
    record = TransferWechat(
        centre_id=row.centre_id, transfer_id=row.id, outcome=given.outcome, began_at=given.began_at,
        finished_at=given.finished_at, before=given.before, after=given.after, photos=photos, words=words,
        by=principal.user, at=now,
    )  # fmt: skip
    session.add(record)
    session.flush()
    told = f"{_OUTCOMES[given.outcome]}{_counted(given)}{f'，{words}' if words else ''}"
    write_step(
        session, row, "wechat", told, principal.user, now, outcome=given.outcome, before=given.before,
        after=given.after, photos=photos,
    )  # fmt: skip
    done(session, row, principal.user, "已登记微信迁移", now, but="decide")
    settle(session, row, principal.user, now)
    return row


_OUTCOMES = {"yes": "全部迁移", "partly": "迁移了一部分", "no": "没有迁移"}


def _counted(given: Wechat) -> str:
    if given.before is None and given.after is None:
        return ""
    return f"，会话数 {_number(given.before)} → {_number(given.after)}"


def _number(value: int | None) -> str:
    return "未数" if value is None else str(value)


def _checked(given: Wechat, now: dt.datetime) -> str:
    if given.outcome not in _OUTCOMES:
        raise wrong("outcome", "请选择结果 / choose what came of it")
    words = one_line(given.words, 1000)
    if len(given.photos) > MAX_PHOTOS:
        raise wrong("photos", f"最多 {MAX_PHOTOS} 张截图 / at most {MAX_PHOTOS}")
    if given.outcome == "no":
        if not words:
            raise wrong("words", "请写明为什么没有迁移 / say why not")
        return words
    if not given.photos:
        raise wrong("photos", "请上传迁移完成的截图或照片 / a picture of it is needed")
    if given.finished_at is None or given.began_at is None:
        raise wrong("finished_at", "请填写开始和结束时间 / when it began and ended")
    if not given.began_at <= given.finished_at <= now:
        raise wrong("finished_at", "结束不能早于开始，也不能在将来 / the times do not fit")
    _check_numbers(given, words)
    return words


def _check_numbers(given: Wechat, words: str) -> None:
    for name, value in (("before", given.before), ("after", given.after)):
        if value is not None and not 0 <= value <= _MOST:
            raise wrong(name, "数量不对 / out of range")
    if given.outcome == "yes":
        if given.before is None or given.after is None:
            raise wrong("after", "请数一数新旧手机上的会话数 / count the conversations on both")
        if given.after < given.before:
            raise wrong("after", "新手机上的会话比旧手机少，请选“迁移了一部分” / fewer than before")
    elif not words:
        raise wrong("words", "请写明缺了什么 / say what is lacking")


def accept_wechat(
    session: Session, principal: Principal, transfer_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> Transfer:
    """A lead takes it that not all of WeChat was moved. Raise `Forbidden` for whoever recorded it."""
    row = _for_lead(
        session,
        principal,
        transfer_id,
        lambda found: next((w.by for w in store.wechat_of(session, found.id)), None),
    )
    latest = next(iter(store.wechat_of(session, row.id)), None)
    if latest is None or latest.outcome == "yes" or row.wechat_accepted_at is not None or row.state in FINAL:
        raise Conflict(
            "没有要接受的微信迁移结果 / nothing of WeChat is to be accepted", code="transfer_state"
        )
    words = required(reason, "reason", "请写明为什么可以接受 / say why")
    store.change(session, row, wechat_reason=words, wechat_accepted_by=principal.user, wechat_accepted_at=now)
    write_step(session, row, "accept_wechat", words, principal.user, now, record=str(latest.id))
    done(session, row, principal.user, "微信未全部迁移已接受", now, but="decide")
    settle(session, row, principal.user, now)
    return row


def ask_waiver(
    session: Session, principal: Principal, transfer_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> Transfer:
    """Nothing is to be moved, or the old phone cannot be read: another person has to agree."""
    row = store.find(session, principal, transfer_id)
    principal.require_role(row.centre_id, *DOERS)
    if row.state not in AT_REST or row.waive_asked_by is not None:
        raise Conflict("现在不能申请免迁移 / not now", code="transfer_state")
    words = required(reason, "reason", "请写明为什么不用迁移或读不了 / say why")
    store.change(session, row, waive_reason=words, waive_asked_by=principal.user, waive_asked_at=now)
    write_step(session, row, "ask_waive", words, principal.user, now)
    ask(session, row, "lead", now, body=f"申请免迁移：{words}")
    return row


def decide_waiver(
    session: Session,
    principal: Principal,
    transfer_id: uuid.UUID,
    *,
    grant: bool,
    reason: str = "",
    now: dt.datetime,
) -> Transfer:
    """A lead who did not ask for it agrees or not. Raise `Conflict` when nobody asks, or it is under way again."""
    row = _for_lead(session, principal, transfer_id, lambda found: found.waive_asked_by)
    if row.waive_asked_by is None or row.state not in AT_REST:
        raise Conflict("没有等待决定的免迁移申请 / nobody asks for it", code="transfer_state")
    if grant:
        store.change(session, row, waived_by=principal.user)
        end(session, row, Event.WAIVE, principal.user, now, row.waive_reason or "")
        return row
    words = required(reason, "reason", "请写明为什么不批准 / say why")
    store.change(session, row, waive_reason=None, waive_asked_by=None, waive_asked_at=None)
    write_step(session, row, "refuse_waive", words, principal.user, now)
    done(session, row, principal.user, "免迁移未批准", now, but="decide")
    if row.state == State.MOVED:
        settle(session, row, principal.user, now)
    return row


def _for_lead(
    session: Session, principal: Principal, transfer_id: uuid.UUID, did: Callable[[Transfer], str | None]
) -> Transfer:
    row = store.find(session, principal, transfer_id)
    principal.require_role(row.centre_id, *LEADS)
    principal.require_person()
    if did(row) == principal.user:
        raise Forbidden("经手的人不能自己接受，请另一位主管 / another person decides", code="second_person")
    return row
