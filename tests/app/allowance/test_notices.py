"""Each employee hears his own amount and why, once; nobody hears another's name."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from app.allowance.correcting import recheck
from app.allowance.telling import tell_lines
from app.notify.model import Notice


def _texts(session):
    return {row.key: f"{row.title}\n{row.body}" for row in session.scalars(select(Notice))}


def test_each_step_is_told_once(session, world, org, tools):
    phone = world.phone(org.post, "2026-01-01")
    world.holds(org.post, org.zhang, "2026-01-01", "2026-10-11")
    world.holds(org.post, org.li, "2026-10-11")
    world.incident(phone, org.li, "2026-10-12 10:00")
    wrong = world.incident(phone, org.li, "2026-10-20 10:00")
    world.close()
    assert tell_lines(session, world.now) == 2
    assert tell_lines(session, world.now) == 0
    told = _texts(session)
    cancelled = next(text for text in told.values() if "取消，应发 ¥0.00" in text)
    assert "2026-10-12 10:00 关机成立" in cancelled
    assert not any("张三" in text or "李四" in text for text in told.values())
    world.refute(wrong)
    world.now += dt.timedelta(days=1)
    recheck(session, tools, world.now)
    assert tell_lines(session, world.now) == 1
    assert any("更正：2026-10 话费补贴照发，应发 ¥33.87" in text for text in _texts(session).values())


def test_the_lead_hears_counts(session, world, org):
    world.phone(org.post, "2026-01-01")
    world.holds(org.post, org.zhang, "2026-01-01")
    row = world.close()
    assert "照发 1 人" in _texts(session)[f"allowance_closed:{row.id}"]
