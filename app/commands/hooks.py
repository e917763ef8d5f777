"""What a room does about the commands that serve its records: look once more before one leaves, hear what came of it.

`app/rooms.py` lists the hooks by kind; `hooks()` in `app/runtime.py` hands them to those who lease and take words.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy.orm import Session

from app.commands.model import Command
from app.commands.schemas import ResultInput
from app.commands.service import Leased
from app.readings import AgentRef
from app.registry import HandsetRef


class CommandHook(Protocol):
    """All calls are inside the transaction of the check-in, or of the job, that brought the matter."""

    def seal(
        self,
        session: Session,
        opened: Any,
        leased: Leased,
        phone: HandsetRef,
        agent: AgentRef,
        now: dt.datetime,
    ) -> Mapping[str, str] | None:
        """Dangerous kinds alone, in the moment in which the command would leave for this agent.

        `opened`: the escrow's keys (`app.escrow.Opened`, of a room that stands on this one). The texts that go along,
        sealed for that agent (none: no box). None: it must not be sent, and the hook has ended it (`give_up`). An
        exception ends it, too; what the hook wrote is then undone.
        """

    def word(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> None:
        """Each word of the agent that holds it, `running` too, after the queue took it.

        `command.result["detail"]` is what the queue kept of a last word (of `running` it keeps nothing: the detail is
        in `result`, as it came). Must not raise for an odd detail: what is not understood is unknown.
        """

    def late(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> bool:
        """A word of that agent on a command that the queue had ended meanwhile; True: it was new, and is taken.

        An agent that was cut off tells late what it did: whoever would not hear that knows less than could be known.
        """

    def ended(self, session: Session, command: Command, now: dt.datetime) -> None:
        """The queue ended it without a word: expired, lost with its agent, cancelled by hand, not sent.

        May raise `Conflict` when the room's record moved in the same moment.
        """


CommandHooks = Mapping[str, CommandHook]
"""By the kind's name. A dangerous kind without one is never sent."""


def tell_ended(command: Command, hooks: CommandHooks, session: Session, now: dt.datetime) -> None:
    """Tell the hook of its kind, if there is one, that the queue ended this command."""
    hook = hooks.get(command.kind)
    if hook is not None:
        hook.ended(session, command, now)
