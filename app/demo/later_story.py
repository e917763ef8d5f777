"""What goes on in the demo at present: this month's round has begun, and a butler's damaged phone is to be repaired."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.credchecks import Tools as RoundTools
from app.credchecks import attest, items_of_round, open_round
from app.demo.pictures import phone_front
from app.hardware import Finding, HardwareCase, Report, judge, report, state_view
from app.hardware import Tools as CaseTools
from app.kernel.tenancy import Principal
from app.people import principal_of, user_of_employee, users_with
from app.registry import holding_of

_ATTESTED_KITS = 2
_DAMAGED = 1
"""The place of the kit whose butler is the demo's own."""


@dataclass
class Present:
    """`kits`: handset and post of each place of the demo."""

    session: Session
    centre: uuid.UUID
    now: dt.datetime
    kits: Sequence[tuple[uuid.UUID, uuid.UUID]]

    def begin_round(self, tools: RoundTools) -> int:
        """The lead opened it just now and looked at some profiles; at how many points. Gateways check the locks."""
        lead = self._one_with("lead")
        row = open_round(self.session, lead, tools, self.centre, self.now - dt.timedelta(minutes=10))
        looked = 0
        posts = [post for _, post in self.kits[:_ATTESTED_KITS]]
        for item in items_of_round(self.session, row.id):
            if item.post_id in posts and item.area == "profile" and not item.picture:
                wrong = item.kind == "verification" and item.post_id == posts[-1]
                reason = "加好友验证没有打开，已请管家改" if wrong else ""
                attest(
                    self.session, lead, item.id, matches=not wrong, reason=reason, tools=tools, now=self.now
                )
                looked += 1
        return looked

    def damage(self, tools: CaseTools) -> HardwareCase | None:
        """Reported, heard, decided: the butler bears the repair, which is yet to be made (R05). None without him."""
        handset, post = self.kits[_DAMAGED]
        holding = holding_of(self.session, post, self.now)
        if holding is None:
            return None
        user = user_of_employee(self.session, holding.employee_id)
        if user is None:
            return None
        lead, operations = self._one_with("lead"), self._one_with("operations")
        at = self.now - dt.timedelta(days=6)
        given = Report(
            handset, "damage", at - dt.timedelta(hours=3), "巡楼时从手上滑落，屏幕右下角裂开，触摸还能用",
            (phone_front("GJ-0002", cracked=True),),
        )  # fmt: skip
        case = report(self.session, lead, tools, given, at)
        butler = principal_of(self.session, user, self.now)
        words = "下雨天手滑，不是故意的，愿意承担维修费。"
        at += dt.timedelta(days=1)
        state_view(self.session, butler, case.id, words=words, disputed=False, now=at)
        found = Finding("human", "本人陈述与照片一致，两年内人为损坏（R05）")
        return judge(self.session, operations, tools, case.id, found, at + dt.timedelta(hours=5))

    def _one_with(self, role: str) -> Principal:
        return principal_of(
            self.session, users_with(self.session, self.centre, role, at=self.now)[0], self.now
        )
