"""The transfer's kinds of a running agent, wired."""

from __future__ import annotations

import logging

from agent import wire
from agent.boxes import Boxes
from agent.client import Client
from agent.clock import Steady
from agent.commands import Kind
from agent.identity import PhoneAtHand
from agent.longwork import LongWork
from agent.state import Identity, State
from agent.transfer.kinds import DiscardKind, Running, TransferKind
from agent.transfer.people import make_parts
from agent.transfer.stopping import StopKind
from agent.transfer.store import forget_old

log = logging.getLogger("agent.transfer")


def transfer_kinds(
    state: State, identity: Identity, boxes: Boxes, at_hand: PhoneAtHand, works: LongWork, clock: Steady
) -> dict[str, Kind]:
    """`transfer_data`, `stop_transfer` and `discard_copy`, by name. Copies that nobody asked for in their days are
    destroyed first.
    """
    for transfer in forget_old(state.transfers):
        log.info("copy destroyed, nobody asked for it any more transfer=%s", transfer)
    keys = state.keys()

    def connect() -> Client:
        return Client(identity.server_url, keys.ed25519, identity.agent_id)

    running = Running()
    move = TransferKind(
        key=keys.x25519,
        boxes=boxes,
        at_hand=at_hand,
        root=state.transfers,
        connect=connect,
        make_parts=make_parts,
        running=running,
        clock=clock,
        stopped=works.stopped,
    )
    discard = DiscardKind(state.transfers, running, at_hand)
    stop = StopKind(works, running, at_hand)
    return {
        "transfer_data": works.kind(move, purpose=wire.DANGER_PURPOSE),
        "stop_transfer": works.kind(stop, purpose=wire.COMMAND_PURPOSE, waits=False),
        "discard_copy": works.kind(discard, purpose=wire.DANGER_PURPOSE, waits=False),
    }
