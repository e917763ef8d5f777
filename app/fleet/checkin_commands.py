"""What a check-in takes along: commands for phones to which the agent has a way, leased and signed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from uuid import UUID

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from agent.wire import CommandEnvelope, PurposeKey
from app.commands import DANGER, Leased, give_up, lease, seal, waiting_handsets
from app.escrow import Opened, Vault, can_send, danger_key, seal_lock
from app.fleet import store
from app.kernel.keys import KeyStore
from app.readings import AgentRef, phones_read_by
from app.registry import HandsetRef

log = structlog.get_logger(__name__)
COMMANDS_AT_ONCE = 20


def orders_for(
    session: Session, agent: AgentRef, now: dt.datetime, keys: KeyStore, vault: Vault
) -> tuple[list[CommandEnvelope], PurposeKey | None]:
    """The commands, and the key of the dangerous ones. While the escrow is sealed those wait, and the rest goes out."""
    opened = can_send(session, vault) if agent.kind == "gateway" else None
    waiting = waiting_handsets(session, agent, now, danger=opened is not None)
    mine = phones_read_by(session, agent.id, waiting)
    leased = lease(session, agent, mine, now, COMMANDS_AT_ONCE, danger=opened is not None) if mine else []
    phones = store.handsets(session, {c.handset_id for c in leased}) if leased else {}
    commands = [
        seal(command, phones[command.handset_id], agent, keys)
        for command in leased
        if command.kind.purpose != DANGER
    ]
    if opened is None:
        return commands, None
    for command in leased:
        if command.kind.purpose == DANGER:
            envelope = _dangerous(session, opened, command, phones, agent, now)
            commands += [] if envelope is None else [envelope]
    return commands, danger_key(opened, agent, keys)


def _dangerous(
    session: Session, opened: Opened, command: Leased, phones: Mapping[UUID, HandsetRef], agent: AgentRef,
    now: dt.datetime,
) -> CommandEnvelope | None:  # fmt: skip
    """None when it must not be sent, or could not be made: that ends the command and fails nothing else."""
    x25519 = store.box_key(session, agent.id)
    try:
        with session.begin_nested():
            return seal_lock(session, opened, command, phones[command.handset_id], agent, x25519, now)
    except OperationalError:
        raise
    except Exception as exc:  # noqa: BLE001 - its kind alone: a text of it could hold what was to be sealed
        log.error("danger_command_failed", kind=type(exc).__name__, command=str(command.id))  # noqa: TRY400
        give_up(session, command.id, "not sent", now)
        return None
