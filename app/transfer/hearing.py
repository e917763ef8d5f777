"""What a gateway says of its order, and what the server makes of it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from sqlalchemy.orm import Session

from app.commands import ResultInput
from app.policy import PolicyFiles
from app.readings import AgentRef, BadEntry
from app.transfer import store
from app.transfer.copies import destroyed
from app.transfer.manifests import facts_of
from app.transfer.model import Transfer
from app.transfer.noting import ask, done, write_step
from app.transfer.rules import Final, Judged, judge
from app.transfer.settling import settle
from app.transfer.states import AT_WORK, Copy, Event, State
from app.transfer.stopping import SILENT, conclude_stop, over, unheard
from app.transfer.tools import policy_of
from app.transfer.wire_schemas import parse_final, parse_progress, plain_final
from app.transfer.words import note_words

_CODE = re.compile(r"[a-z0-9_]{1,40}")
_COPIES = {"destroyed": Copy.DESTROYED, "kept": Copy.KEPT, "none": Copy.NONE}


def take_progress(session: Session, row: Transfer, agent: AgentRef, detail: Any, now: dt.datetime) -> None:
    """It works on it. One update of one row, and no audit: there is a word every few seconds."""
    if row.state not in AT_WORK:
        return
    try:
        progress = parse_progress(detail)
    except BadEntry:
        progress = None
    resumed = row.state == State.INTERRUPTED or (row.state == State.STOPPING and row.note == SILENT)
    note = progress["note"] if progress is not None else "odd_word"
    store.move(
        session,
        row,
        Event.RUN,
        progress=progress or row.progress,
        progress_at=now,
        note=note,
        agent_id=agent.id,
    )
    if resumed:
        done(session, row, f"agent:{agent.id}", "已继续", now)


def take_postponed(session: Session, row: Transfer, agent: AgentRef, detail: Any, now: dt.datetime) -> None:
    """It cannot go on now; it will be asked again by itself."""
    if row.state not in AT_WORK:
        return
    reason = _code_of(detail)
    before = row.state, row.note
    store.move(session, row, Event.POSTPONE, note=reason, progress_at=now)
    if row.state == State.STOPPING:
        conclude_stop(session, row, f"agent:{agent.id}", now)
    elif (row.state, row.note) != before:
        write_step(session, row, "postpone", note_words(reason), f"agent:{agent.id}", now, audited=False)
    if row.state == State.INTERRUPTED:
        ask(session, row, "go_on", now, body=note_words(reason))


def take_final(
    session: Session,
    row: Transfer,
    agent: AgentRef,
    result: ResultInput,
    policies: PolicyFiles,
    now: dt.datetime,
) -> None:
    """Its last word, whole or odd. What cannot be understood proves nothing, and its copy may be anywhere."""
    by = f"agent:{agent.id}"
    try:
        final = parse_final(result.detail)
    except BadEntry:
        odd = "odd_word" if result.state == "succeeded" else _code_of(result.detail)
        fail(session, row, odd, by, now)
        return
    if final.copy == "destroyed":
        destroyed(session, row, by, now)
    elif row.copy != Copy.DESTROYED:
        store.change(session, row, copy=_COPIES[final.copy], copy_at=now, copy_agent_id=agent.id)
    if result.state != "succeeded" and final.outcome == "verified":
        fail(session, row, "contradiction", by, now)
        return
    judged = _judged(session, row, final, policies)
    conclude(session, row, final, judged, by, now)


def _judged(session: Session, row: Transfer, final: Final, policies: PolicyFiles) -> Judged:
    """What is proved, and whether that is all that policy moves: what somebody left out is a lead's to accept."""
    judged = judge(final, row.parts, facts_of(session, row))
    asked = policy_of(session, policies, row.centre_id).body["parts"]
    left_out = judged.verdict == "verified" and not set(asked) <= set(row.parts)
    return Judged("differences", "parts_left_out") if left_out else judged


def conclude(
    session: Session, row: Transfer, final: Final, judged: Judged, by: str, now: dt.datetime
) -> None:
    """Set what is proved. A gateway's failure after a result that stands changes nothing."""
    if judged.verdict == "failed":
        fail(session, row, judged.why or "failed", by, now, plain_final(final))
        return
    verified = judged.verdict == "verified"
    if row.state == State.STOPPING:
        over(session, row, now)
    event = Event.DATA_VERIFIED if verified else Event.DATA_DIFFERS
    store.move(
        session, row, event, result=plain_final(final), result_at=now, verdict=judged.verdict, note=judged.why
    )
    words = "全部核验一致" if verified else note_words(judged.why)
    write_step(
        session, row, "result", words, by, now, verdict=judged.verdict, why=judged.why or "",
        manifest=row.manifest_sha256 or "",
    )  # fmt: skip
    done(session, row, by, words, now)
    if verified:
        settle(session, row, by, now)
    else:
        ask(session, row, "decide", now, body=words)


def rejudge(session: Session, row: Transfer, by: str, policies: PolicyFiles, now: dt.datetime) -> None:
    """A manifest that came after the last word: what that word said can be held against it now."""
    if row.state != State.ATTENTION or row.result is None:
        return
    final = parse_final(row.result)
    judged = _judged(session, row, final, policies)
    if judged.why != row.note:
        conclude(session, row, final, judged, by, now)


def fail(
    session: Session, row: Transfer, why: str, by: str, now: dt.datetime, result: dict[str, Any] | None = None
) -> None:
    """The order ended and nothing is proved."""
    if row.state not in AT_WORK:
        return
    if row.state == State.STOPPING:
        _fail_stopping(session, row, why, by, now, result)
        return
    store.move(
        session, row, Event.DATA_FAILED, note=why, result=result, result_at=now,
        verdict="failed" if result is not None else None,
    )  # fmt: skip
    write_step(
        session, row, "result" if by.startswith("agent:") else "end", note_words(why), by, now, why=why
    )
    done(session, row, by, note_words(why), now)
    ask(session, row, "failed", now, body=note_words(why))


def _fail_stopping(
    session: Session, row: Transfer, why: str, by: str, now: dt.datetime, result: dict[str, Any] | None
) -> None:
    """What was wanted, if its gateway says so; else nobody knows what it does."""
    if not by.startswith("agent:"):
        unheard(session, row, why, by, now)
        return
    verdict = "failed" if result is not None else None
    store.change(session, row, note=why, result=result, result_at=now, verdict=verdict)
    conclude_stop(session, row, by, now)


def _code_of(detail: Any) -> str:
    reason = detail.get("reason") if isinstance(detail, dict) else None
    return reason if isinstance(reason, str) and _CODE.fullmatch(reason) else "unknown"
