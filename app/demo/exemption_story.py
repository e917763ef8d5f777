"""What the demo's phones are spared (R03): one second WeChat is approved, another waits for a second person."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.compliance import ExemptionAsked, approve_exemption, ask_exemption, exemption_end
from app.kernel.tenancy import Principal
from app.people import principal_of, users_with
from app.policy import PolicyFiles

_SPARED, _WAITING = 4, 0
"""Places of kits whose simulated phones come with a dual space."""
_DUAL_SPACE = "999"
_BREACHES = (("user_not_allowed", _DUAL_SPACE), ("app_in_other_user", f"com.tencent.mm@{_DUAL_SPACE}"))
_DAYS = 30


def tell_exemptions(
    session: Session,
    centre: uuid.UUID,
    kits: Sequence[tuple[uuid.UUID, uuid.UUID]],
    *,
    policies: PolicyFiles,
    now: dt.datetime,
) -> int:
    """IT asks, the lead approves; returns how many were asked for."""
    it, lead = (_one_with(session, centre, role, now) for role in ("it", "lead"))
    asked_at, told = now - dt.timedelta(days=2), 0
    until = exemption_end((now + dt.timedelta(days=_DAYS)).date())
    for place, why in (
        (_SPARED, "两个片区合并交接期间，双开微信保留原业主群"),
        (_WAITING, "新片区的业主群还在旧微信号上"),
    ):
        for code, subject in _BREACHES if place < len(kits) else ():
            asked = ExemptionAsked(kits[place][0], None, code, subject, why, until)
            row = ask_exemption(session, it, asked, policies=policies, now=asked_at)
            told += 1
            if place == _SPARED:
                note = "交接完成后请关闭双开"
                approve_exemption(session, lead, row.id, note=note, now=asked_at + dt.timedelta(hours=3))
    return told


def _one_with(session: Session, centre: uuid.UUID, role: str, now: dt.datetime) -> Principal:
    return principal_of(session, users_with(session, centre, role, at=now)[0], now)
