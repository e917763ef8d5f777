"""Kind `stop_transfer`: a transfer that is at work ends, its copy stays, and nothing of it is left on the phones."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from agent import wire
from agent.identity import PhoneAtHand
from agent.inbox import Outcome
from agent.longwork import LongWork, Progress
from agent.transfer.kinds import Running
from agent.transfer.orders import successor, transfer_id
from agent.transfer.tidying import tidied

_WAIT_S = 600.0
"""The work ends behind what it asked a phone last: the hash of a large file takes minutes."""


@dataclass(frozen=True)
class StopKind:
    """Ends the order that the command names and no other: one that came late must not end what was begun since."""

    works: LongWork
    running: Running
    at_hand: PhoneAtHand
    wait_s: float = _WAIT_S

    def __call__(self, command: wire.Command, progress: Progress) -> Outcome:
        try:
            transfer, new = transfer_id(command.args), successor(command.args)
            order = str(uuid.UUID(str(command.args["order"])))
        except (KeyError, ValueError, TypeError):
            return Outcome("refused", {"reason": "bad_args"})
        # Its last word is on disk before ours: the server hears first how it ended.
        ended = self.works.call_off(order, self.wait_s)
        if ended is False:
            return Outcome("not_now", {"reason": "busy"})
        with self.running.one(transfer) as free:
            if free is None:
                return Outcome("succeeded", {"outcome": "none"})
            told = {"outcome": "none" if ended is None else "stopped"}
            told["old_phone"] = tidied(self.at_hand, command, transfer)
            if new is not None:
                told["new_phone"] = tidied(self.at_hand, new, transfer)
            return Outcome("succeeded", told)
