"""The moment in which the order leaves for a gateway: the last look at everything, and the only one that counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.commands import Leased, give_up
from app.escrow import Opened, lock_for_wipe
from app.kernel.errors import Unavailable
from app.kernel.ids import parse_id
from app.kernel.tenancy import SYSTEM
from app.readings import AgentRef
from app.registry import HandsetRef
from app.wipe import store
from app.wipe.identity import reading_of, same_phone
from app.wipe.model import Wipe
from app.wipe.noting import write_step
from app.wipe.rails import Look, blockers
from app.wipe.releasing import order_args
from app.wipe.rules import over, reason_words
from app.wipe.states import Event, State
from app.wipe.tools import Tools, policy_of, span_of
from app.wipe.verifying import release_problems


def seal_order(
    session: Session, tools: Tools, opened: Opened, leased: Leased, phone: HandsetRef, agent: AgentRef,
    now: dt.datetime,
) -> Mapping[str, str] | None:  # fmt: skip
    """The texts that go with the order, none or the screen lock; None: it must not leave, and was ended."""
    given = leased.args.get("wipe")
    wipe = store.by_id(session, parse_id(given) if isinstance(given, str) else None)
    if wipe is None or wipe.command_id != leased.id or wipe.state != State.QUEUED:
        give_up(session, leased.id, "no wipe waits for it", now)
        return None
    why = _why_not(session, tools, wipe, leased, phone, agent, now)
    if why is not None:
        _stopped(session, wipe, leased, why, now)
        return None
    try:
        texts = _lock(session, opened, wipe, agent, now)
    except Unavailable:
        _stopped(session, wipe, leased, "lock_damaged", now)
        return None
    store.move(
        session,
        wipe,
        Event.DELIVER,
        now,
        agent_id=agent.id,
        ordered_at=now,
        acknowledged_at=None,
        silent_at=None,
    )
    write_step(
        session, wipe, "deliver", "", SYSTEM.user, now, agent=str(agent.id), command=str(leased.id), lock=bool(texts)
    )  # fmt: skip
    return texts


def _why_not(
    session: Session, tools: Tools, wipe: Wipe, leased: Leased, phone: HandsetRef, agent: AgentRef,
    now: dt.datetime,
) -> str | None:  # fmt: skip
    """A code, None when nothing keeps it from leaving."""
    expected = order_args(wipe, wipe.expect or {}, wipe.imei_typed)
    body = policy_of(session, tools, wipe.centre_id).body
    if dict(leased.args) != expected or any(release_problems(session, wipe)):
        return "tampered"
    # A database restored to an older day holds orders that were carried out, or taken back, long ago.
    if over(wipe.released_at, now, span_of(body, "release_minutes")):
        return "stale"
    if not same_phone(wipe, phone) or agent.kind != "gateway" or agent.centre_id != wipe.centre_id:
        return "identity_changed"
    found = blockers(session, tools, wipe, Look.LEASE, now)
    return found[0].code if found else None


def _stopped(session: Session, wipe: Wipe, leased: Leased, why: str, now: dt.datetime) -> None:
    give_up(session, leased.id, f"must not be sent: {why}", now)
    store.move(session, wipe, Event.STOP, now, why=why)
    write_step(
        session, wipe, "stop", reason_words(why), SYSTEM.user, now, outcome="refused", reason=why
    )  # fmt: skip


def _lock(session: Session, opened: Opened, wipe: Wipe, agent: AgentRef, now: dt.datetime) -> dict[str, str]:
    """Only where the phone was last read with a lock: what is not needed does not leave the escrow."""
    read = reading_of(session, wipe.handset_id)
    if read is None or read.lock != "set":
        return {}
    text = lock_for_wipe(session, opened, wipe.handset_id, agent, wipe.id, now)
    return {} if text is None else {"old": text}
