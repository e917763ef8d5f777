"""Readings of a phone before and after its wipe: asked for, taken in, judged. What is read moves a wipe at most to
"inspected"; that it is erased only a second person says (`confirming`).
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import orjson
import structlog
from sqlalchemy.orm import Session

from app.commands import Command, cancel, enqueue
from app.commands import State as CommandState
from app.kernel.errors import Conflict
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import PolicyFiles, effective_many
from app.wipe import inspection_store, store
from app.wipe.contesting import contest_certificate, drop_draft
from app.wipe.evidence_rules import read_evidence
from app.wipe.fact_rules import Verdict
from app.wipe.grading_rules import CERTIFIABLE, GRADE_WORDS, Graded, contests, facts_to_plain
from app.wipe.inspection_model import WipeInspection
from app.wipe.inspection_store import INSPECT
from app.wipe.inspection_trail import inspection_mark
from app.wipe.judging import POLICY, REFUSED, judge
from app.wipe.model import Wipe
from app.wipe.noting import write_step
from app.wipe.states import AT_PHONE, INSPECTABLE, Event, State

log = structlog.get_logger(__name__)
ASKERS = ("it", "lead", "operations")
BEFORE = (State.APPROVED, State.ARMED, State.QUEUED)
_ASKABLE = (*BEFORE, *INSPECTABLE, State.VERIFIED, State.CERTIFIED)
_MOVING = (*AT_PHONE, State.UNVERIFIED)
_LOOKED_AFTER = (State.ACKNOWLEDGED, State.SILENT)
_WAITING = (CommandState.QUEUED, CommandState.NOT_NOW)
_BATCH = 100


def may_ask(principal: Principal, wipe: Wipe) -> bool:
    return wipe.state in _ASKABLE and principal.may(wipe.centre_id, *ASKERS)


def ask_inspection(
    session: Session, principal: Principal, wipe_id: uuid.UUID, *, now: dt.datetime
) -> Command:
    """Have a gateway read the phone now. One that waits for its turn is asked for anew, one that runs is the answer.

    Raise `NotFound`, `Forbidden`, `Conflict` (`wipe_state`; `retired_phone`).
    """
    wipe = store.find(session, principal, wipe_id)
    principal.require_role(wipe.centre_id, *ASKERS)
    if wipe.state not in _ASKABLE:
        raise Conflict("现在的状态不需要检查 / nothing to inspect in this state", code="wipe_state")
    return _ask(session, principal, wipe, now)


def _ask(session: Session, principal: Principal, wipe: Wipe, now: dt.datetime) -> Command:
    command, made = enqueue(
        session, principal, wipe.handset_id, INSPECT, {"wipe": str(wipe.id)}, dedup_key="inspect", now=now
    )
    if not made and command.state in _WAITING and principal.user != SYSTEM.user:
        # It may be put off for a quarter of an hour; somebody who has just plugged the phone in does not wait for that.
        cancel(session, SYSTEM, command.id, reason="asked for anew", now=now)
        return _ask(session, SYSTEM, wipe, now)
    return command


def ask_inspections(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Read once before the order what is to be compared, and after it until the phone has told enough. How many."""
    count = 0
    found = inspection_store.to_look_at(session, _LOOKED_AFTER, BEFORE, _BATCH)
    bodies = effective_many(session, policies, POLICY, {wipe.centre_id for wipe, _ in found})
    for wipe, asked in found:
        pace = dt.timedelta(minutes=bodies[wipe.centre_id].body["inspection"]["look_minutes"])
        if asked is not None and asked > now - pace:
            continue
        try:
            with session.begin_nested():
                _ask(session, SYSTEM, wipe, now)
                count += 1
        except Conflict as exc:
            log.info("wipe_not_inspected", wipe=str(wipe.id), why=exc.code)
    return count


def take_evidence(
    session: Session, command: Command, raw: Any, earliest: dt.datetime, at: dt.datetime, policies: PolicyFiles,
    now: dt.datetime,
) -> bool:  # fmt: skip
    """A gateway's reading, made from `earliest` to `at`. False when it says nothing new, or is of no wipe.

    Raise `Conflict` when the wipe moved in the same moment.
    """
    wipe = _wipe_of(session, command)
    if wipe is None or inspection_store.has_word(session, command.id) or read_evidence(raw) is None:
        return False
    kind = "automatic" if wipe.ordered_at is not None and earliest >= wipe.ordered_at else "before"
    row = _row(wipe, kind, earliest, at, f"agent:{command.agent_id}")
    row.command_id, row.evidence = command.id, orjson.loads(orjson.dumps(raw))
    return keep(session, wipe, row, policies, now)


def take_refusal(session: Session, command: Command, policies: PolicyFiles, now: dt.datetime) -> bool:
    """The phone no longer knows the gateway's key: kept once, for it goes with a normal reset."""
    wipe = _wipe_of(session, command)
    if (
        wipe is None
        or wipe.ordered_at is None
        or command.leased_at is None
        or command.leased_at < wipe.ordered_at
    ):
        return False
    if any(
        row.words == REFUSED and row.earliest_at >= wipe.ordered_at
        for row in inspection_store.inspections(session, wipe.id)
    ):
        return False
    row = _row(wipe, "automatic", command.leased_at, now, f"agent:{command.agent_id}")
    row.words = REFUSED
    return keep(session, wipe, row, policies, now)


def _wipe_of(session: Session, command: Command) -> Wipe | None:
    try:
        wipe = store.by_id(session, uuid.UUID(str(command.args.get("wipe"))))
    except ValueError:
        return None
    return wipe if wipe is not None and wipe.handset_id == command.handset_id else None


def _row(wipe: Wipe, kind: str, earliest: dt.datetime, at: dt.datetime, by: str) -> WipeInspection:
    return WipeInspection(
        centre_id=wipe.centre_id, wipe_id=wipe.id, kind=kind, earliest_at=earliest, at=at, by=by, seen={}, photos=[],
        words="", facts=[], mark="",
    )  # fmt: skip


def by_hand_row(wipe: Wipe, by: str, now: dt.datetime) -> WipeInspection:
    return _row(wipe, "manual", now, now, by)


def keep(session: Session, wipe: Wipe, row: WipeInspection, policies: PolicyFiles, now: dt.datetime) -> bool:
    """Store an inspection with what all of them are worth now, and let the wipe go where that leads.

    False when a gateway said the same again: nothing is stored then. Raise `Conflict`. Internal.
    """
    last = next(
        (one for one in reversed(inspection_store.inspections(session, wipe.id)) if one.kind == row.kind),
        None,
    )
    session.add(row)
    session.flush()
    graded = judge(session, wipe, policies)
    row.grade = None if graded is None or row.kind == "before" else str(graded.grade)
    row.facts = [] if graded is None or row.kind == "before" else facts_to_plain(graded.facts)
    moves = graded is not None and State(wipe.state) in _MOVING and _ripe(State(wipe.state), row, graded)
    if row.kind != "manual" and last is not None and _same(last, row) and not moves:
        session.delete(row)
        session.flush()
        return False
    row.mark = inspection_mark(row)
    session.flush()
    if graded is None or row.kind == "before":
        _told(session, wipe, row, None, now)
    else:
        _after(session, wipe, row, graded, now)
    return True


def _same(last: WipeInspection, row: WipeInspection) -> bool:
    boots = [(one.evidence or {}).get("boot_id") for one in (last, row)]
    return (last.grade, last.facts, last.words, boots[0]) == (row.grade, row.facts, row.words, boots[1])


def _after(session: Session, wipe: Wipe, row: WipeInspection, graded: Graded, now: dt.datetime) -> None:
    found = {"grade": str(graded.grade), "inspected_at": row.at}
    state = State(wipe.state)
    if state in INSPECTABLE and _ripe(state, row, graded):
        store.move(session, wipe, Event.INSPECT, now, **found)
        _told(session, wipe, row, graded, now)
    elif state is State.VERIFIED and graded.grade not in CERTIFIABLE:
        drop_draft(session, wipe, row.by, "检查发现矛盾", now)
        store.move(session, wipe, Event.CONTEST, now, **found)
        write_step(
            session, wipe, "contest", _words(row, graded), row.by, now, inspection=str(row.id), mark=row.mark
        )
    else:
        # The version counts up all the same: who signs in this very moment signs over less than there is.
        store.write(session, wipe, now)
        _told(session, wipe, row, graded, now)
        if state is State.CERTIFIED and contests(graded):
            contest_certificate(session, wipe, _words(row, graded), now)


def _ripe(state: State, row: WipeInspection, graded: Graded) -> bool:
    """Whether there is something for a second person to confirm. A phone that has not yet gone down after the order
    still shows all that it had: that is no failure before it has had its time.
    """
    if graded.grade in CERTIFIABLE:
        return True
    same = any(fact.code == "same_phone" and fact.verdict is Verdict.PASS for fact in graded.facts)
    waiting = state in AT_PHONE and state is not State.SILENT
    looked = row.kind == "manual" and bool(row.seen)
    return same and (looked or (not waiting and state is not State.UNVERIFIED))


def _told(session: Session, wipe: Wipe, row: WipeInspection, graded: Graded | None, now: dt.datetime) -> None:
    write_step(
        session, wipe, "inspect", _words(row, graded), row.by, now, inspection=str(row.id), kind=row.kind,
        grade=row.grade, mark=row.mark, photos=[photo["sha256"] for photo in row.photos],
    )  # fmt: skip


KIND_WORDS = {"before": "清除前读取", "automatic": "网关读取", "manual": "当面检查"}


def kind_words(row: WipeInspection) -> str:
    """What people call this kind of look."""
    return "核对 IMEI" if row.kind == "manual" and not row.seen else KIND_WORDS[row.kind]


def _words(row: WipeInspection, graded: Graded | None) -> str:
    if row.words == REFUSED:
        return "手机拒绝了网关原来的调试授权（恢复出厂以后会这样，单凭这一点不能证明）"
    if graded is None:
        return f"{kind_words(row)}：已记下清除前的状态"
    against = [f"{fact.words}：{fact.value}" for fact in graded.facts if fact.verdict is Verdict.FAIL]
    told = "；".join(against[:3])
    return f"{kind_words(row)}：{GRADE_WORDS[graded.grade]}" + (f"。{told}" if told else "")
