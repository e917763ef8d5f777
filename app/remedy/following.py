"""Cases follow the verdicts: begin with a finding, end when a reading shows that it is no more."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.commands import cancel as cancel_command
from app.kernel.errors import Conflict
from app.kernel.ids import new_id
from app.kernel.tenancy import SYSTEM
from app.registry import Handset
from app.remedy import store
from app.remedy.model import RemedyCase
from app.remedy.noting import write_step
from app.remedy.rules import NOT_INSPECTED, UNREAD, Seen, Standing, app_of, standing, step_at, target_of
from app.remedy.shifting import shift
from app.remedy.standing import Judged
from app.remedy.states import LADDER, OPEN, ORDERABLE, REOPENABLE, Event, State
from app.remedy.telling import holders, tell_holders
from app.remedy.tools import Tools, body_of, span_of

_NEVER = "never_read"
MOST_OPEN = 200
"""Open cases of one phone, the gravest findings first: a list of thousands of made-up apps would hold the database's
only write for minutes. The verdict names all of them; the next ones begin when some of these have ended.
"""
JUDGED_ANEW = dt.timedelta(minutes=1)
_UNREAD_WORDS = "手机上有内容一直读不到，不能判断是否合规"


def take_phone(session: Session, tools: Tools, phone: Handset, one: Judged, now: dt.datetime) -> None:
    """Bring the cases of a phone in line with its newest verdict. Idempotent."""
    cases = store.open_of(session, [phone.id])
    if phone.retired_at is not None or any(case.centre_id != phone.centre_id for case in cases):
        leave(session, tools, [c for c in cases if phone.retired_at or c.centre_id != phone.centre_id], now)
        cases = [] if phone.retired_at else [c for c in cases if c.centre_id == phone.centre_id]
    if phone.retired_at is not None or one.centre_id != phone.centre_id:
        return
    body = body_of(session, tools, phone.centre_id)
    known = {(case.code, case.subject) for case in cases}
    fresh = [
        case
        for case in cases
        if _meet(session, tools, case, body, standing_of(one, case), seen_of(one, case), now)
    ]
    room = MOST_OPEN - sum(case.state in OPEN for case in cases)
    ended: Mapping[tuple[str, str], RemedyCase] | None = None
    for seen in (*one.seen, *_unread(one)):
        if seen.status not in ("fail", "grace") and seen.code != NOT_INSPECTED:
            continue
        if seen.key in known or (
            _NEVER in seen.evidence.get("parts", ()) and not holders(session, phone.id, now)
        ):
            continue  # one that lies in a drawer and was never connected is nobody's task
        if room <= 0:
            break
        ended = store.ended_of(session, phone.id) if ended is None else ended
        case = _begin(session, tools, phone, body, seen, ended.get(seen.key), now)
        room -= case is not None
        if case is not None and seen.code != NOT_INSPECTED:
            fresh.append(case)
    if fresh:
        tell_holders(session, tools, phone, fresh, now)


def seen_of(one: Judged, case: RemedyCase) -> Seen | None:
    """The finding of a case in a verdict, whatever its status."""
    return next((seen for seen in one.seen if seen.key == (case.code, case.subject)), None)


def standing_of(one: Judged, case: RemedyCase) -> Standing:
    if case.code == NOT_INSPECTED:
        return Standing.UNKNOWN if any(_unread(one)) else Standing.ABSENT
    return standing(one.seen, case.code, case.subject, _users_of(case))


def _users_of(case: RemedyCase) -> tuple[int, ...] | None:
    """The users that a finding about an app is about; None where it does not say."""
    if case.package is None:
        return None
    target, user = target_of(case.subject, case.evidence), case.evidence.get("user")
    if target is not None:
        return target.users
    return (user,) if type(user) is int else None


def _unread(one: Judged) -> list[Seen]:
    """All that could not be read of a phone, as one finding since the oldest of them."""
    found = [seen for seen in one.seen if seen.status == "unknown" and seen.code in UNREAD]
    if not found:
        return []
    since = min(seen.first_seen for seen in found)
    words = "；".join(seen.words for seen in found[:5])
    evidence = {"parts": [f"{seen.code} {seen.subject}".strip() for seen in found[:20]]}
    return [Seen(NOT_INSPECTED, "", "unknown", "medium", evidence, f"{_UNREAD_WORDS}：{words}", since)]


def _meet(
    session: Session, tools: Tools, case: RemedyCase, body: Mapping[str, Any], status: Standing, seen: Seen | None,
    now: dt.datetime,
) -> bool:  # fmt: skip
    """Whether its holder is to be told of it (anew)."""
    if status is Standing.ABSENT:
        _end(session, tools, case, Event.GO, "最近一次读取不再有这一条", now)
        return False
    if status is Standing.EXEMPT:
        _end(session, tools, case, Event.EXEMPT, "已批准例外", now)
        return False
    if status is Standing.UNKNOWN:
        if case.unknown_since is None:
            store.write(
                session, case, unknown_since=now,
                **_due(case, now + span_of(body, "unknown_hours")),
            )  # fmt: skip
            write_step(
                session, case, "unknown", "读不到了：在能读到之前不移除，也不算已消除", SYSTEM.user, now
            )
        return False
    _refresh(session, case, body, seen, now)
    if status is Standing.GRACE:
        if case.state in ORDERABLE:
            shift(session, tools, case, Event.EASE, now, failing_since=None, why=None)
        return False
    if case.state != State.EARLY:
        return False
    fail(session, tools, case, body, now)
    return True


def _due(case: RemedyCase, at: dt.datetime) -> dict[str, Any]:
    """Time moves the ladder; an order has its own."""
    return {"due_at": at} if case.state in LADDER and case.state != State.TASK else {}


def _refresh(
    session: Session, case: RemedyCase, body: Mapping[str, Any], seen: Seen | None, now: dt.datetime
) -> None:
    if seen is None:
        return
    changes: dict[str, Any] = {}
    if (seen.words, seen.severity, dict(seen.evidence)) != (case.words, case.severity, case.evidence):
        changes |= {"words": seen.words, "severity": seen.severity, "evidence": dict(seen.evidence)}
    if case.unknown_since is not None:
        changes["unknown_since"] = None
        write_step(session, case, "known", "", SYSTEM.user, now)
    if changes and case.failing_since is not None and case.state in (State.TOLD_BUTLER, State.TOLD_LEAD):
        step = "lead" if case.state == State.TOLD_BUTLER else "act"
        changes["due_at"] = step_at(body, seen.severity, case.failing_since, step)
    if changes:
        store.write(session, case, **changes)


def fail(
    session: Session, tools: Tools, case: RemedyCase, body: Mapping[str, Any], now: dt.datetime,
    spent: dt.timedelta = dt.timedelta(),
) -> None:  # fmt: skip
    """The ladder begins, or goes on behind the time that was spent on it already."""
    since = now - spent
    due = step_at(body, case.severity, since, "lead")
    shift(
        session, tools, case, Event.FAIL, now, failing_since=since, unknown_since=None, why=None, due_at=due
    )


def _spent(session: Session, case: RemedyCase, now: dt.datetime) -> dt.timedelta:
    """How long it had failed when it went. Who only puts an app away for an hour keeps the lead waiting for ever else;
    who did not have the phone then has all his time.
    """
    went = case.state in (State.GONE, State.REMOVED)
    if not went or case.failing_since is None or case.ended_at is None:
        return dt.timedelta()
    others = set(holders(session, case.handset_id, now)) - set(case.told)
    return dt.timedelta() if others else max(case.ended_at - case.failing_since, dt.timedelta())


def _end(
    session: Session, tools: Tools, case: RemedyCase, event: Event, words: str, now: dt.datetime
) -> None:
    if case.state in (State.REMOVING, State.RESTORING):
        return  # a gateway acts now: its word comes first
    if event is Event.GO and case.state == State.CHECKING:
        return  # told by time's own look, which asks for a reading after the act
    if case.state == State.ORDERED and not call_back(session, case, now):
        return
    shift(session, tools, case, event, now, say=words)


def call_back(session: Session, case: RemedyCase, now: dt.datetime) -> bool:
    """Take the order back from the queue; False when a gateway has it already."""
    if case.command_id is None:
        return True
    try:
        cancel_command(session, SYSTEM, case.command_id, reason="no longer needed", now=now)
    except Conflict as exc:
        return exc.code == "command_finished"
    return True


def leave(session: Session, tools: Tools, cases: list[RemedyCase], now: dt.datetime) -> None:
    """Their phone was retired, or belongs to another centre now."""
    for case in cases:
        call_back(session, case, now)
        # Its new centre judges it anew, and that may be no change to the verdict: then time looks once more.
        shift(
            session,
            tools,
            case,
            Event.LEAVE,
            now,
            say="手机已停用，或已转到别的服务中心",
            due_at=now + JUDGED_ANEW,
        )


def _begin(
    session: Session, tools: Tools, phone: Handset, body: Mapping[str, Any], seen: Seen, before: RemedyCase | None,
    now: dt.datetime,
) -> RemedyCase | None:  # fmt: skip
    """A new case, or the one that it goes on with; None while a person lets it rest."""
    if before is not None and before.centre_id == phone.centre_id and before.state in REOPENABLE:
        if before.state == State.DISMISSED and before.rest_until is not None and before.rest_until > now:
            return None
        if before.ended_at is not None and now - before.ended_at <= span_of(body, "return_days"):
            return _return(session, tools, before, body, seen, now)
    return _open(session, tools, phone, body, seen, now)


def _open(
    session: Session, tools: Tools, phone: Handset, body: Mapping[str, Any], seen: Seen, now: dt.datetime
) -> RemedyCase | None:
    values = _of(seen, body, now) | {
        "id": new_id(), "centre_id": phone.centre_id, "handset_id": phone.id, "code": seen.code,
        "subject": seen.subject, "package": app_of(seen.code, seen.subject), "state": State.EARLY, "version": 1,
        "opened_at": now, "users": [], "returns": 0, "orders": 0, "place": 0,
    }  # fmt: skip
    case = store.insert_new(session, values)
    if case is None:
        return None
    write_step(session, case, "open", seen.words, SYSTEM.user, now)
    if seen.status == "fail":
        fail(session, tools, case, body, now)
    return case


def _return(
    session: Session, tools: Tools, case: RemedyCase, body: Mapping[str, Any], seen: Seen, now: dt.datetime
) -> RemedyCase:
    rested, spent = case.state == State.DISMISSED, _spent(session, case, now)
    words = "搁置期满，仍不合规" if rested else "再次出现"
    shift(
        session, tools, case, Event.RETURN, now, say=words, returns=case.returns + (0 if rested else 1), users=[],
        place=0, command_id=None, agent_id=None, sent_at=None, acted_at=None, outcome=None, after=None, rest_until=None,
        why=None, failing_since=None, **_of(seen, body, now),
    )  # fmt: skip
    if seen.status == "fail":
        fail(session, tools, case, body, now, spent)
    return case


def _of(seen: Seen, body: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    unread = seen.code == NOT_INSPECTED
    return {
        "severity": seen.severity, "words": seen.words, "evidence": dict(seen.evidence), "first_seen": seen.first_seen,
        "told": [], "unknown_since": seen.first_seen if unread else None,
        "due_at": max(now, seen.first_seen + span_of(body, "unknown_hours")) if unread else None,
    }  # fmt: skip


def taken(session: Session, tools: Tools, handset_ids: list[uuid.UUID], found: Mapping[uuid.UUID, Judged],
          now: dt.datetime) -> None:  # fmt: skip
    """`take_phone` for each of these."""
    for handset_id, phone in store.phones(session, handset_ids).items():
        take_phone(session, tools, phone, found[handset_id], now)
