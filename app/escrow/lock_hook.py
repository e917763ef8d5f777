"""The room's part in commands about a screen lock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.commands import Command, Leased, ResultInput
from app.escrow.lock_results import settle_one, take_lock_word
from app.escrow.lock_sending import lock_texts
from app.escrow.vault import Opened
from app.readings import AgentRef
from app.registry import HandsetRef


class LockHook:
    def seal(
        self, session: Session, opened: Opened, leased: Leased, phone: HandsetRef, agent: AgentRef,
        now: dt.datetime,
    ) -> Mapping[str, str] | None:  # fmt: skip
        return lock_texts(session, opened, leased, agent, now)

    def word(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> None:
        take_lock_word(session, agent, command, result, now)

    def late(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> bool:
        # What became of it was told as unknown, and somebody was asked to look.
        return False

    def ended(self, session: Session, command: Command, now: dt.datetime) -> None:
        settle_one(session, command, now)
