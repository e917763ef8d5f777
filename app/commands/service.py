"""The queue's use cases. Every move of a state is a compare-and-set; what ends a command is audited."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from agent.wire import Command as WireCommand
from agent.wire import CommandEnvelope, seal_command
from app.audit import AuditEvent, record
from app.commands import store
from app.commands.metrics import count
from app.commands.model import Command
from app.commands.rules import (
    DANGER,
    KINDS,
    MAX_DEDUP_CHARS,
    MAX_EXPIRES_S,
    MIN_EXPIRES_S,
    REPORTS,
    CommandKind,
    check_args,
    kept_detail,
    kind_of,
    retry_at,
)
from app.commands.schemas import ResultInput
from app.commands.states import AT_AGENT, FINAL, Event, State
from app.kernel.errors import Conflict, FieldError, Invalid, NotFound
from app.kernel.ids import new_id, parse_id
from app.kernel.keys import KeyStore
from app.kernel.tenancy import SYSTEM, Principal
from app.readings import AgentRef, dated
from app.registry import HandsetRef, find_handset

MAX_WAITING_LOOK = 1000
SWEEP_LIMIT = 500


@dataclass(frozen=True)
class Leased:
    """What an agent is to be told of a command that it now holds."""

    id: uuid.UUID
    handset_id: uuid.UUID
    kind: CommandKind
    args: Mapping[str, Any]
    expires_in_s: int


def enqueue(
    session: Session,
    principal: Principal,
    handset_id: uuid.UUID,
    kind: str,
    args: Mapping[str, Any] | None = None,
    *,
    dedup_key: str | None = None,
    expires_in: dt.timedelta | None = None,
    agent_id: uuid.UUID | None = None,
    now: dt.datetime,
) -> tuple[Command, bool]:
    """Queue a command; (the command that stands there, False) when one with this dedup key (the kind, unless given) is
    not yet done. A newer command of a kind that supersedes ends an older one that still waits. `agent_id`: whom a
    command of an addressed kind is for.

    Raise `Invalid`, `NotFound`, or `Conflict` for a retired phone.
    """
    known = kind_of(kind)
    args = dict(args or {})
    check_args(known, args)
    expires = _expiry(known, expires_in)
    key = dedup_key or known.name
    if len(key) > MAX_DEDUP_CHARS:
        raise _invalid("dedup_key", f"at most {MAX_DEDUP_CHARS} characters")
    handset = find_handset(session, principal, handset_id)
    if handset.retired_at is not None:
        raise Conflict("该手机已停用 / this phone is retired", code="retired_phone")
    command_id = new_id()
    values = {
        "id": command_id, "centre_id": handset.centre_id, "handset_id": handset.id, "kind": known.name,
        "purpose": known.purpose, "args": args, "dedup_key": key, "state": State.QUEUED, "created_by": principal.user,
        "created_at": now, "due_at": now, "expires_at": now + expires, "max_attempts": known.max_attempts,
        "agent_id": agent_id,
    }  # fmt: skip
    if not store.insert_new(session, values):
        return _standing(session, handset.id, key), False
    command = get(session, principal, command_id)
    for older in store.older_waiting(session, handset.id, known.name, command.id) if known.supersedes else ():
        _end(session, older, Event.SUPERSEDE, principal.user, now, end_reason=f"superseded by {command.id}")
    _note(session, command, principal.user, "enqueue", now)
    count("enqueue")
    return command, True


def _expiry(kind: CommandKind, wanted: dt.timedelta | None) -> dt.timedelta:
    expires = dt.timedelta(seconds=kind.expires_s) if wanted is None else wanted
    if not MIN_EXPIRES_S <= expires.total_seconds() <= MAX_EXPIRES_S:
        raise _invalid("expires_in_s", f"must be from {MIN_EXPIRES_S} to {MAX_EXPIRES_S} seconds")
    return expires


def _standing(session: Session, handset_id: uuid.UUID, key: str) -> Command:
    found = store.active(session, handset_id, key)
    if found is None:
        raise Conflict("the command that stood in the way ended in this moment: try again")
    return found


def _invalid(field: str, message: str) -> Invalid:
    return Invalid("命令不正确 / the command is not right", fields=[FieldError(field, "invalid", message)])


def get(session: Session, principal: Principal, command_id: uuid.UUID) -> Command:
    found = store.find(session, principal, command_id)
    if found is None:
        raise NotFound("没有这条命令 / no such command")
    return found


def cancel(
    session: Session, principal: Principal, command_id: uuid.UUID, *, reason: str = "", now: dt.datetime
) -> Command:
    """Take a waiting command back. Raise `Conflict` when an agent holds it (it may be happening) or it has ended."""
    command = get(session, principal, command_id)
    if command.state in AT_AGENT:
        raise Conflict(
            "命令已交给网关，可能正在执行，暂不能取消 / an agent holds it: it may be happening now",
            code="command_at_agent",
        )
    if command.state in FINAL:
        raise Conflict(f"命令已结束（{command.state}）/ it has ended already", code="command_finished")
    _end(
        session,
        command,
        Event.CANCEL,
        principal.user,
        now,
        end_reason=reason or "cancelled",
        audit_reason=reason,
    )
    return command


def give_up(session: Session, command_id: uuid.UUID, reason: str, now: dt.datetime) -> Command:
    """End a command that the server itself cannot or must not send. Internal. Raise `Conflict` when it has ended."""
    command = get(session, SYSTEM, command_id)
    _end(
        session, command, Event.GIVE_UP, SYSTEM.user, now, end_reason=reason, audit_reason=reason,
    )  # fmt: skip
    return command


def waiting_handsets(
    session: Session, agent: AgentRef, now: dt.datetime, *, danger: bool = False
) -> set[uuid.UUID]:
    """Phones of the agent's centre for which something could be leased to it now; nearly always none.

    `danger`: those commands too, which only a server with its escrow open can sign.
    """
    kinds = _kinds(agent, danger)
    return store.waiting_handsets(session, agent.centre_id, agent.id, now, kinds, MAX_WAITING_LOOK)


def _kinds(agent: AgentRef, danger: bool) -> frozenset[str]:
    kinds = (k for k in KINDS.values() if agent.kind == "gateway" or k.for_self)
    return frozenset(k.name for k in kinds if danger or k.purpose != DANGER)


def lease(
    session: Session,
    agent: AgentRef,
    handset_ids: Collection[uuid.UUID],
    now: dt.datetime,
    limit: int,
    *,
    danger: bool = False,
) -> list[Leased]:
    """Give the agent up to `limit` commands about these phones, and such as are addressed to it; no other agent gets
    them while the lease lasts.
    """
    ids = [i for i in handset_ids if agent.kind != "self" or i == agent.handset_id]
    leased = []
    kinds = _kinds(agent, danger)
    for command in store.leasable(session, agent.centre_id, agent.id, ids, now, kinds, limit):
        kind = KINDS[command.kind]
        try:
            store.move(
                session, command, Event.LEASE, agent_id=agent.id, attempts=command.attempts + 1, leased_at=now,
                lease_until=now + dt.timedelta(seconds=kind.lease_s),
            )  # fmt: skip
        except Conflict:
            continue  # another took it in the same moment
        count("lease")
        # Rounded up: an agent never gets a command that has no second left.
        left = -int((now - command.expires_at) // dt.timedelta(seconds=1))
        leased.append(Leased(command.id, command.handset_id, kind, command.args, left))
    return leased


def seal(leased: Leased, handset: HandsetRef, agent: AgentRef, keys: KeyStore) -> CommandEnvelope:
    """Sign a leased command that only reads for one agent."""
    return seal_command(wire_command(leased, handset, agent), keys.signer("agent-reads"))


def wire_command(
    leased: Leased, handset: HandsetRef, agent: AgentRef, more: Mapping[str, Any] | None = None
) -> WireCommand:
    """A leased command as it travels, with `more` arguments that the queue does not keep."""
    return WireCommand(
        id=str(leased.id),
        kind=leased.kind.name,
        agent=str(agent.id),
        serial=handset.serial,
        imei=handset.imeis,
        args={**leased.args, **(more or {})},
        expires_in_s=leased.expires_in_s,
        purpose=leased.kind.purpose,
    )


def held_by(session: Session, agent: AgentRef, command_id: str) -> Command:
    """The command that this agent holds or held last. Raise `NotFound` (`unknown_command`), for another's too."""
    known = parse_id(command_id)
    command = None if known is None else store.find(session, SYSTEM, known)
    if command is None or command.agent_id != agent.id:
        raise NotFound("no such command of this agent", code="unknown_command")
    return command


def apply_result(session: Session, agent: AgentRef, result: ResultInput, now: dt.datetime) -> Command:
    """Take an agent's word on one command.

    Raise `NotFound` (`unknown_command`, also for another agent's: it is told nothing), or `Conflict`
    (`command_finished`) for one that has ended; what was told then stands.
    """
    command = held_by(session, agent, result.id)
    if command.state in FINAL:
        raise Conflict(f"this command has ended: {command.state}", code="command_finished")
    event = REPORTS[result.state]
    at = max(dated(now, result.age_us) or now, command.leased_at or command.created_at)
    detail = kept_detail(KINDS[command.kind], result.detail)
    told = {"state": result.state, "detail": detail}
    if event is Event.START:
        until = now + dt.timedelta(seconds=KINDS[command.kind].lease_s)
        store.move(session, command, event, lease_until=until)
    elif event is Event.POSTPONE:
        times = command.not_now_times + 1
        store.move(
            session, command, event, result=told, lease_until=None, not_now_times=times,
            due_at=retry_at(now, times, detail.get("reason")),
            not_now_first_at=command.not_now_first_at or at,
        )  # fmt: skip
    else:
        _end(
            session,
            command,
            event,
            f"agent:{agent.id}",
            now,
            finished_at=at,
            result=told,
            end_reason=result.state,
        )
        return command
    count(event)
    return command


def expire_commands(
    session: Session, now: dt.datetime, ended: Callable[[Command], None] = lambda _: None
) -> int:
    """End what is past its expiry; bring what an agent lost back to the queue, or end it after its last attempt.

    `ended` hears of each that ended, and may raise `Conflict`: then that one is looked at again by the next sweep.
    """
    rows = store.overdue(session, now, SWEEP_LIMIT)
    for command in rows:
        try:
            with session.begin_nested():
                _overdue(session, command, now)
                if command.state in FINAL:
                    ended(command)
        except Conflict:
            continue  # its agent spoke in the same moment
    return len(rows)


def _overdue(session: Session, command: Command, now: dt.datetime) -> None:
    if command.expires_at <= now:
        _end(session, command, Event.EXPIRE, SYSTEM.user, now, end_reason="expired")
    elif command.attempts - command.not_now_times >= command.max_attempts:
        _end(session, command, Event.EXHAUST, SYSTEM.user, now, end_reason="no answer from any agent")
    else:
        store.move(session, command, Event.LOSE, lease_until=None, due_at=now)
        count(Event.LOSE)


def _end(
    session: Session, command: Command, event: Event, actor: str, now: dt.datetime, *, audit_reason: str = "",
    **changes: Any,
) -> None:  # fmt: skip
    store.move(session, command, event, **{"finished_at": now, "lease_until": None, **changes})
    _note(session, command, actor, event, now, reason=audit_reason)
    count(event)


def _note(
    session: Session, command: Command, actor: str, verb: str, now: dt.datetime, *, reason: str = ""
) -> None:
    record(
        session,
        AuditEvent(
            at=now, actor=actor, action=f"command.{verb}", object=f"command:{command.id}", centre_id=command.centre_id,
            reason=reason,
            details={"kind": command.kind, "handset": str(command.handset_id), "state": str(command.state)},
        ),
    )  # fmt: skip
