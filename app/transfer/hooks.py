"""This room's part in the queue: the last look before an order leaves, its key, and what its gateway says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.commands import Command, Leased, ResultInput, give_up
from app.escrow import Opened
from app.kernel.tenancy import SYSTEM
from app.readings import AgentRef
from app.registry import Handset, HandsetRef
from app.runtime import runtime
from app.transfer import hearing, store
from app.transfer.copies import destroyed, look_for_rest
from app.transfer.copy_rules import copy_key, new_salt
from app.transfer.model import Transfer
from app.transfer.noting import write_step
from app.transfer.states import AT_WORK, Copy, State
from app.transfer.stopping import conclude_stop


class TransferHook:
    """For `transfer_data`."""

    def seal(
        self, session: Session, opened: Opened, leased: Leased, phone: HandsetRef, agent: AgentRef,
        now: dt.datetime,
    ) -> Mapping[str, str] | None:  # fmt: skip
        row = store.by_command(session, leased.id)
        if row is not None and row.state == State.STOPPING:
            # Lost by its gateway meanwhile, it must not begin once more.
            give_up(session, leased.id, "stopped", now)
            conclude_stop(session, row, SYSTEM.user, now)
            return None
        why = _hindered(session, row, leased, phone)
        if row is None or why is not None:
            give_up(session, leased.id, why or "no transfer", now)
            if row is not None:
                hearing.fail(session, row, why or "gone", SYSTEM.user, now)
            return None
        moved = row.copy_agent_id not in (None, agent.id) and row.copy in (Copy.KEPT, Copy.UNKNOWN)
        # Another gateway's copy is not read any more: by a new key it becomes unreadable for ever.
        salt = new_salt() if moved or row.salt is None else row.salt
        first = row.copy_agent_id != agent.id
        store.change(session, row, salt=salt, copy=Copy.UNKNOWN, copy_agent_id=agent.id, agent_id=agent.id)
        if first:
            write_step(session, row, "send", "已交给网关", SYSTEM.user, now, agent=str(agent.id))
        return {"key": copy_key(opened.transfers, salt, row.id, phone.serial)}

    def word(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> None:
        row = store.by_command(session, command.id)
        if row is None:
            return
        if result.state == "running":
            hearing.take_progress(session, row, agent, result.detail, now)
        elif result.state == "not_now":
            hearing.take_postponed(session, row, agent, result.detail, now)
        elif row.state in AT_WORK:
            hearing.take_final(session, row, agent, result, runtime().policies, now)

    def late(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> bool:
        row = store.by_command(session, command.id)
        if row is None or result.state in ("running", "not_now"):
            return False
        # A result stands; only where nothing was heard does a late one count.
        silent = row.state in (State.FAILED, State.STOPPED) and row.result is None
        if row.state != State.STOPPING and not (silent and result.state == "succeeded"):
            return False
        hearing.take_final(session, row, agent, result, runtime().policies, now)
        return True

    def ended(self, session: Session, command: Command, now: dt.datetime) -> None:
        row = store.by_command(session, command.id)
        if row is not None and row.state in AT_WORK:
            hearing.fail(session, row, _ENDED.get(str(command.state), "no_answer"), SYSTEM.user, now)


_ENDED: Mapping[str, str] = {"expired": "expired", "cancelled": "cancelled", "superseded": "superseded"}


def _hindered(session: Session, row: Transfer | None, leased: Leased, phone: HandsetRef) -> str | None:
    """Why the order must not leave: whoever is named in it is no longer who was meant."""
    if row is None or row.state not in AT_WORK or row.new_id is None:
        return "not_waiting"
    new = session.get_one(Handset, row.new_id)
    if phone.retired or new.retired_at is not None:
        return "retired_phone"
    named = leased.args.get("new")
    ordered = named.get("serial") if isinstance(named, dict) else None
    if phone.serial != row.old_serial or new.serial != row.new_serial or ordered != new.serial:
        return "identity"
    return None if new.centre_id == row.centre_id == phone.centre_id else "other_centre"


class StopHook:
    """For `stop_transfer`, which needs no key and is sealed by nobody."""

    def seal(
        self, session: Session, opened: Opened, leased: Leased, phone: HandsetRef, agent: AgentRef,
        now: dt.datetime,
    ) -> Mapping[str, str] | None:  # fmt: skip
        return {}

    def word(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> None:
        row = store.by_stop(session, command.id)
        if row is not None:
            conclude_stop(session, row, f"agent:{agent.id}", now)

    def late(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> bool:
        """What it ended had ended before: nothing is new in it."""
        return False

    def ended(self, session: Session, command: Command, now: dt.datetime) -> None:
        row = store.by_stop(session, command.id)
        if row is not None:
            conclude_stop(session, row, SYSTEM.user, now)


class DiscardHook:
    """For `discard_copy`."""

    def seal(
        self, session: Session, opened: Opened, leased: Leased, phone: HandsetRef, agent: AgentRef,
        now: dt.datetime,
    ) -> Mapping[str, str] | None:  # fmt: skip
        row = store.by_discard(session, leased.id)
        if row is None or row.state in AT_WORK or row.copy not in (Copy.KEPT, Copy.UNKNOWN):
            give_up(session, leased.id, "no copy to destroy", now)
            return None
        if row.copy_agent_id not in (None, agent.id):
            give_up(session, leased.id, "another gateway has the copy", now)
            return None
        return {}

    def word(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> None:
        self._take(session, agent, command, result, now)

    def late(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> bool:
        return self._take(session, agent, command, result, now)

    def _take(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> bool:
        row = store.by_discard(session, command.id)
        told = result.state == "succeeded" and result.detail.get("outcome") in ("destroyed", "none")
        # Started anew meanwhile, or told by a gateway that never had it, the word is not of this copy.
        if row is None or not told or row.state in AT_WORK or row.copy_agent_id != agent.id:
            return False
        if row.copy not in (Copy.KEPT, Copy.UNKNOWN):
            return False
        destroyed(session, row, f"agent:{agent.id}", now)
        look_for_rest(session, row, result.detail.get("new_phone"), now)
        return True

    def ended(self, session: Session, command: Command, now: dt.datetime) -> None:
        """Silence says nothing of the copy: it is asked for again, and in the end a person is."""
