"""The room's part in its commands: `remove_app` and `restore_app`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.commands import Command, Leased, ResultInput
from app.escrow import Opened
from app.readings import AgentRef
from app.registry import HandsetRef
from app.remedy.hearing import command_ended, take_word
from app.remedy.sending import seal_order
from app.remedy.tools import Tools
from app.runtime import runtime


def tools() -> Tools:
    return Tools(runtime().policies)


class RemedyHook:
    def seal(
        self, session: Session, opened: Opened, leased: Leased, phone: HandsetRef, agent: AgentRef,
        now: dt.datetime,
    ) -> Mapping[str, str] | None:  # fmt: skip
        return seal_order(session, tools(), leased, phone, agent, now)

    def word(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> None:
        detail = (command.result or {}).get("detail", {})
        take_word(session, tools(), agent, command, result, detail, now)

    def late(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> bool:
        return take_word(session, tools(), agent, command, result, result.detail, now, late=True)

    def ended(self, session: Session, command: Command, now: dt.datetime) -> None:
        command_ended(session, tools(), command, now)
