"""What a check-in takes along: commands for phones to which the agent has a way, leased and signed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from agent.wire import CommandEnvelope, PurposeKey, seal_box, seal_command
from app.commands import (
    DANGER,
    CommandHook,
    CommandHooks,
    Leased,
    give_up,
    lease,
    seal,
    tell_ended,
    waiting_handsets,
    wire_command,
)
from app.escrow import Opened, Vault, can_send, danger_key
from app.fleet import store
from app.fleet.signatures import SignedCall
from app.kernel.keys import KeyStore
from app.readings import phones_read_by
from app.registry import HandsetRef

log = structlog.get_logger(__name__)
COMMANDS_AT_ONCE = 20


def orders_for(
    session: Session, call: SignedCall, now: dt.datetime, keys: KeyStore, vault: Vault, hooks: CommandHooks
) -> tuple[list[CommandEnvelope], PurposeKey | None]:
    """The commands, and the key of the dangerous ones. While the escrow is sealed those wait, and the rest goes out."""
    agent = call.agent
    opened = can_send(session, vault) if agent.kind == "gateway" else None
    waiting = waiting_handsets(session, agent, now, danger=opened is not None)
    mine = phones_read_by(session, agent.id, waiting)
    # Also with no phone of them near: a command may be addressed to this very agent.
    leased = lease(session, agent, mine, now, COMMANDS_AT_ONCE, danger=opened is not None) if waiting else []
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
            phone = phones[command.handset_id]
            envelope = _dangerous(session, opened, command, phone, call, hooks, now)
            commands += [] if envelope is None else [envelope]
    return commands, danger_key(opened, agent, keys)


def _dangerous(
    session: Session, opened: Opened, command: Leased, phone: HandsetRef, call: SignedCall, hooks: CommandHooks,
    now: dt.datetime,
) -> CommandEnvelope | None:  # fmt: skip
    """None when it must not be sent, or could not be made: that ends the command and fails nothing else."""
    hook = hooks.get(command.kind.name)
    try:
        with session.begin_nested():
            if hook is None:
                give_up(session, command.id, "no room knows this kind", now)
                return None
            return _sealed(session, opened, command, phone, call, hook, now)
    except OperationalError:
        raise
    except Exception as exc:  # noqa: BLE001 - its kind alone: a text of it could hold what was to be sealed
        log.error("danger_command_failed", kind=type(exc).__name__, command=str(command.id))  # noqa: TRY400
        tell_ended(give_up(session, command.id, "not sent", now), hooks, session, now)
        return None


def _sealed(
    session: Session, opened: Opened, command: Leased, phone: HandsetRef, call: SignedCall, hook: CommandHook,
    now: dt.datetime,
) -> CommandEnvelope | None:  # fmt: skip
    agent = call.agent
    x25519 = store.box_key(session, agent.id)
    texts = hook.seal(session, opened, command, phone, agent, now)
    if texts is None:
        return None
    more = {}
    if texts:
        more["sealed"] = seal_box(
            texts, x25519, command=str(command.id), agent=str(agent.id), serial=phone.serial
        )
    # Bound to this very request: an answer that somebody held back is none to a later one.
    order = replace(wire_command(command, phone, agent, more), nonce=call.nonce)
    return seal_command(order, opened.danger)
