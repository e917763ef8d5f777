"""What becomes of an `inspect_phone` order: an agent's reading is evidence, whatever else it says is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import structlog
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from app.commands import Command, Leased, ResultInput
from app.escrow import Opened
from app.kernel.errors import DomainError
from app.policy import PolicyFiles
from app.readings import AgentRef, dated
from app.registry import HandsetRef
from app.runtime import runtime
from app.wipe.inspecting import take_evidence, take_refusal
from app.wipe.judging import REFUSED

log = structlog.get_logger(__name__)


class InspectHook:
    """`app.commands.CommandHook` of the kind `inspect_phone`."""

    def seal(
        self, session: Session, opened: Opened, leased: Leased, phone: HandsetRef, agent: AgentRef, now: dt.datetime
    ) -> Mapping[str, str] | None:  # fmt: skip
        """A mere reading takes nothing sealed along."""
        return {}

    def word(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> None:
        self._take(session, command, result, runtime().policies, now)

    def late(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> bool:
        return result.state == "succeeded" and self._take(session, command, result, runtime().policies, now)

    def ended(self, session: Session, command: Command, now: dt.datetime) -> None:
        """Nobody reached the phone: that proves nothing, and the job asks again."""

    def _take(
        self, session: Session, command: Command, result: ResultInput, policies: PolicyFiles, now: dt.datetime
    ) -> bool:
        try:
            with session.begin_nested():
                if result.state == "succeeded":
                    earliest, at = read_between(command, result, now)
                    return take_evidence(
                        session, command, result.detail.get("evidence"), earliest, at, policies, now
                    )
                if result.state == "not_now" and result.detail.get("reason") == REFUSED:
                    return take_refusal(session, command, policies, now)
        except OperationalError:
            raise
        except (DomainError, SQLAlchemyError) as exc:
            # A check-in brings words of many phones: one that cannot be taken now must not cost the others.
            log.warning("wipe_word_lost", command=str(command.id), why=type(exc).__name__)
        return False


def read_between(command: Command, result: ResultInput, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """When the reading was made at the earliest and the latest, by the server's clock.

    Not before the lease under which it was told; where a lease was lost without a word it may stem from an earlier
    one, and then only that it was asked for is known. An agent's own age of it can make it older, never younger.
    """
    asked, leased = command.created_at, command.leased_at or command.created_at
    at = min(dated(now, result.age_us) or now, now)
    lost = command.attempts - command.not_now_times > 1
    if lost or at < leased:
        return asked, max(at, asked)
    return leased, at
