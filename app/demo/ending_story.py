"""A phone at the end of its service: its data goes to the spare phone, then it is to be erased (R06)."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.hardware import order_disposal
from app.kernel.tenancy import Principal
from app.people import principal_of, users_with
from app.transfer import Tools as TransferTools
from app.transfer import Wanted, open_transfer
from app.wipe import Tools as WipeTools
from app.wipe import open_wipe


@dataclass
class Ending:
    """`old` waits to be destroyed, `new` is the phone that takes its place."""

    session: Session
    centre: uuid.UUID
    now: dt.datetime
    old: uuid.UUID
    new: uuid.UUID

    def tell(self, transfers: TransferTools, wipes: WipeTools) -> None:
        """The transfer is a draft whose start is one press away; the wipe stands blocked until that is verified."""
        lead, it = self._one_with("lead"), self._one_with("it")
        reason = "合约到期，电池鼓包，已评估不再使用"
        order_disposal(
            self.session, lead, self.old, cause="contract_end", reason=reason, source="/contracts",
            now=self.now - dt.timedelta(days=2),
        )  # fmt: skip
        wanted = Wanted(self.old, self.new, reason="换用备用机", source="/hardware/disposals")
        open_transfer(self.session, it, transfers, wanted, self.now - dt.timedelta(hours=1))
        open_wipe(self.session, it, wipes, self.old, now=self.now - dt.timedelta(minutes=50))

    def _one_with(self, role: str) -> Principal:
        return principal_of(
            self.session, users_with(self.session, self.centre, role, at=self.now)[0], self.now
        )
