"""The room's part in its commands: the order itself, and the readings that prove what came of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.commands import Command, Leased, ResultInput
from app.escrow import Opened
from app.readings import AgentRef
from app.registry import HandsetRef
from app.runtime import runtime
from app.wipe.sending import seal_order
from app.wipe.tools import Tools
from app.wipe.wording import command_ended, take_word


def tools() -> Tools:
    here = runtime()
    return Tools(here.policies, here.blobs, here.keys, here.settings.checkpoint_dir)


class WipeHook:
    def seal(
        self, session: Session, opened: Opened, leased: Leased, phone: HandsetRef, agent: AgentRef,
        now: dt.datetime,
    ) -> Mapping[str, str] | None:  # fmt: skip
        return seal_order(session, tools(), opened, leased, phone, agent, now)

    def word(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> None:
        kept = (command.result or {}).get("detail", {})
        detail = result.detail if result.state == "running" else kept
        take_word(session, agent, command, result, detail, now)

    def late(
        self, session: Session, agent: AgentRef, command: Command, result: ResultInput, now: dt.datetime
    ) -> bool:
        return take_word(session, agent, command, result, result.detail, now, late=True)

    def ended(self, session: Session, command: Command, now: dt.datetime) -> None:
        command_ended(session, command, now)
