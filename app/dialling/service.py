"""Calls to make and what was heard. A record is never changed: another takes its place, linked to it."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.dialling import store
from app.dialling.model import DialCall, DialTest
from app.dialling.rules import PRIORITY, RESULTS, WITHDRAWN
from app.dialling.states import Event, State
from app.duty import answerable
from app.kernel.errors import Conflict, FieldError, Forbidden, Invalid, NotFound
from app.kernel.ids import new_id
from app.kernel.tenancy import SYSTEM, Principal
from app.kernel.texts import one_line
from app.policy import PolicyFiles, effective
from app.registry import Handset, find_handset
from app.tasks import close_task, open_task
from app.uptime import queue_settling

MAX_REASON = 500
CALLERS = ("operations", "lead")


@dataclass(frozen=True)
class DialFact:
    """One test that stands. `result` is one of `rules.RESULTS`; `by` names the caller as the audit trail does."""

    at: dt.datetime
    result: str
    by: str


def dial_facts(session: Session, handset_id: uuid.UUID) -> list[DialFact]:
    """Every test of a phone that stands, oldest first: corrected and withdrawn ones are left out. Internal."""
    return [DialFact(row.at, row.result, row.by) for row in store.facts(session, handset_id)]


def ask_dial(session: Session, handset_id: uuid.UUID, cause: str, now: dt.datetime) -> None:
    """Put a phone first on the list of calls to make; once while it stands there. A retired phone is left alone.

    `cause`: a code of `rules.CAUSES`, or words. Internal: a suspicion asks, not a person.
    """
    handset = find_handset(session, SYSTEM, handset_id)
    if handset.retired_at is None:
        _put(session, handset, "asked", cause, now)
        keep_task(session, handset.centre_id, SYSTEM.user, now)


def keep_task(session: Session, centre_id: uuid.UUID, by: str, now: dt.datetime) -> None:
    """One task a centre while suspected phones are to be called. It names none: the list hides each from those who
    answer for it, and the tasks are everybody's to read.
    """
    key = f"dial:{centre_id}"
    if store.has_asked(session, centre_id):
        open_task(
            session, key=key, kind="dial", centre_id=centre_id, title="拨测有疑点的手机", body="名单见拨测页。",
            link="/dialling", roles=CALLERS, now=now,
        )  # fmt: skip
    else:
        close_task(session, key, how="名单上已没有有疑点的手机", by=by, now=now)


def add_call(session: Session, principal: Principal, handset_id: uuid.UUID, now: dt.datetime) -> bool:
    """A person puts a phone on the list; False when it stands there at least as high.

    Raise `NotFound`, `Forbidden`, or `Conflict` for a retired phone.
    """
    handset = find_handset(session, principal, handset_id)
    principal.require_role(handset.centre_id, *CALLERS)
    if handset.retired_at is not None:
        raise Conflict("该手机已停用 / this phone is retired", code="retired_phone")
    if not _put(session, handset, "added", "person", now):
        return False
    _note(session, principal, handset, "dialling.add", now)
    return True


def _put(session: Session, handset: Handset, source: str, cause: str, now: dt.datetime) -> bool:
    words = one_line(cause, 100)
    values = {
        "id": new_id(), "centre_id": handset.centre_id, "handset_id": handset.id, "source": source,
        "priority": PRIORITY[source], "cause": words, "state": State.OPEN, "opened_at": now,
    }  # fmt: skip
    if store.insert_call(session, values):
        return True
    return store.raise_priority(session, handset.id, source, words, now)


def drop_call(session: Session, principal: Principal, call_id: uuid.UUID, now: dt.datetime) -> None:
    """Take a phone off the list that a person had put there. Raise `Conflict` for others: those are no choice."""
    call = find_call(session, principal, call_id)
    principal.require_role(call.centre_id, *CALLERS)
    if call.source != "added":
        raise Conflict(
            "抽取的和有疑点的不能移出名单 / only calls added by hand can be dropped", code="call_source"
        )
    store.move(session, call, Event.DROP, ended_at=now, ended_by=principal.user)
    _note(session, principal, find_handset(session, principal, call.handset_id), "dialling.drop", now)


def find_call(session: Session, principal: Principal, call_id: uuid.UUID) -> DialCall:
    """Raise `NotFound`, also for a foreign centre's."""
    call = store.find_call(session, principal, call_id)
    if call is None:
        raise NotFound("名单上没有这个号码 / no such call")
    return call


def record_result(
    session: Session,
    principal: Principal,
    call_id: uuid.UUID,
    number_id: uuid.UUID,
    result: str,
    now: dt.datetime,
) -> DialTest:
    """What was heard at `now` when the number was called that the list showed.

    Raise `NotFound`, `Invalid`, `Forbidden` (also for one's own phone), or `Conflict` when the call was dealt with or
    the number is no longer that of the post.
    """
    if result not in RESULTS:
        raise _invalid("result", "请选择拨测结果 / must be one of " + " ".join(RESULTS))
    call = find_call(session, principal, call_id)
    kit = store.kits(session, principal, [call.handset_id], now).get(call.handset_id)
    _require_caller(session, principal, call.centre_id, call.handset_id, now)
    if kit is None or kit.number_id != number_id or kit.e164 is None:
        raise Conflict(
            "这个岗位的号码刚刚变了，请刷新后重拨 / the post has another number now", code="other_number"
        )
    store.move(session, call, Event.RESULT, ended_at=now, ended_by=principal.user)
    values = {
        "id": new_id(), "centre_id": call.centre_id, "handset_id": call.handset_id, "call_id": call.id,
        "post_id": kit.post_id, "number_id": number_id, "employee_id": kit.employee_id, "e164": kit.e164,
        "result": result, "at": now, "by": principal.user, "recorded_at": now, "reason": "",
    }  # fmt: skip
    test = store.insert_test(session, values)
    keep_task(session, call.centre_id, principal.user, now)
    _settle(session, principal, test, "dialling.result", now)
    return test


def find_test(session: Session, principal: Principal, test_id: uuid.UUID) -> DialTest:
    """Raise `NotFound`, also for a foreign centre's."""
    test = store.find_test(session, principal, test_id)
    if test is None:
        raise NotFound("没有这次拨测 / no such test")
    return test


def may_undo(principal: Principal, test: DialTest, undo_seconds: int, now: dt.datetime) -> bool:
    """Whether the caller may take his own tap back now."""
    return test.by == principal.user and now - test.recorded_at <= dt.timedelta(seconds=undo_seconds)


def undo(
    session: Session, principal: Principal, test_id: uuid.UUID, *, policies: PolicyFiles, now: dt.datetime
) -> None:
    """Take one's own tap back in policy's time; the call is to be made again. Raise as `correct`."""
    test = find_test(session, principal, test_id)
    seconds = effective(session, policies, "dialling", test.centre_id).body["undo_seconds"]
    if not may_undo(principal, test, seconds, now):
        raise Conflict(
            "已超过可撤销的时间，请用“更正” / the time to undo is over: correct it, with a reason",
            code="too_late",
        )
    _replace(session, principal, test, WITHDRAWN, "撤销", now)
    call = find_call(session, principal, test.call_id)
    if store.open_call(session, call.handset_id) is None:
        store.move(session, call, Event.UNDO, ended_at=None, ended_by=None)
        keep_task(session, call.centre_id, principal.user, now)


def correct(
    session: Session, principal: Principal, test_id: uuid.UUID, result: str, reason: str, now: dt.datetime
) -> DialTest:
    """Put another record in the place of a wrong one; the instant of the call stays. `withdrawn`: there was no call.

    Raise `NotFound`, `Invalid` without a reason, `Forbidden`, or `Conflict` for one that was corrected before.
    """
    if result not in RESULTS and result != WITHDRAWN:
        raise _invalid("result", "请选择拨测结果 / must be one of " + " ".join([*RESULTS, WITHDRAWN]))
    words = one_line(reason, MAX_REASON)
    if not words:
        raise _invalid("reason", "请写明更正的原因 / say why")
    return _replace(session, principal, find_test(session, principal, test_id), result, words, now)


def _replace(
    session: Session, principal: Principal, test: DialTest, result: str, reason: str, now: dt.datetime
) -> DialTest:
    _require_caller(session, principal, test.centre_id, test.handset_id, test.at)
    if test.result == WITHDRAWN:
        raise Conflict("这条记录已撤销 / this record was withdrawn", code="test_corrected")
    kept = ("centre_id", "handset_id", "call_id", "post_id", "number_id", "employee_id", "e164", "at")
    values = {name: getattr(test, name) for name in kept}
    values |= {
        "id": new_id(), "result": result, "by": principal.user, "recorded_at": now, "corrects": test.id,
        "reason": reason,
    }  # fmt: skip
    if not store.insert_correction(session, values):
        raise Conflict("这条记录已被更正过 / it was corrected before: look again", code="test_corrected")
    new = find_test(session, principal, values["id"])
    _settle(session, principal, new, "dialling.correct", now)
    return new


def _require_caller(
    session: Session, principal: Principal, centre_id: uuid.UUID, handset_id: uuid.UUID, at: dt.datetime
) -> None:
    principal.require_role(centre_id, *CALLERS)
    if principal.employee is not None and principal.employee in answerable(session, handset_id, at):
        raise Forbidden("不能拨测自己保管的手机 / not for the phone that you answer for", code="own_phone")


def _settle(session: Session, principal: Principal, test: DialTest, action: str, now: dt.datetime) -> None:
    queue_settling(session, {test.handset_id: test.centre_id}, now)
    details = {"handset": str(test.handset_id), "result": test.result}
    if test.corrects is not None:
        details["corrects"] = str(test.corrects)
    record(
        session,
        AuditEvent(
            at=now, actor=principal.user, action=action, object=f"dial_test:{test.id}", centre_id=test.centre_id,
            reason=test.reason, details=details,
        ),
    )  # fmt: skip


def _note(session: Session, principal: Principal, handset: Handset, action: str, now: dt.datetime) -> None:
    event = AuditEvent(
        at=now,
        actor=principal.user,
        action=action,
        object=f"handset:{handset.id}",
        centre_id=handset.centre_id,
    )
    record(session, event)


def _invalid(field: str, message: str) -> Invalid:
    return Invalid(message, fields=[FieldError(field, "invalid", message)])
