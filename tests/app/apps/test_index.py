"""The index: a baseline, then each change with the span in which it happened; nothing doubled, nothing lost."""

from __future__ import annotations

import uuid

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.apps.indexing import index_changes, relist
from app.apps.model import AppEvent, AppPhone
from app.apps.store import prune
from app.kernel.tenancy import SYSTEM
from app.policy import LayerInput, PolicyFiles, put_layer
from app.readings import AgentRef, Power, Reading, absorb
from app.readings.model import SectionChange
from app.registry import HandsetRef
from tests.app.apps.support import OWNER, READER, SYSTEM_APP, WECHAT, Site, app
from tests.app.conftest import START, Org
from tests.app.uptime.support import AGENT, BOOT_A, add_handset

DUAL = [*OWNER, {"id": 999, "name": "dual", "running": True}]


def test_the_first_reading_is_a_baseline_and_tells_no_installation(site: Site, phone: HandsetRef) -> None:
    site.read(phone, 0, users=OWNER, packages=[app(WECHAT), app(READER), SYSTEM_APP])
    assert site.events(phone) == [("baseline", None, "", None, 0)]
    assert site.details(phone, "baseline")[0]["after"] == {"apps": 2, "users": [0]}
    assert site.there(phone) == {(0, WECHAT), (0, READER)}  # the system's own is no row
    row = site.rows(phone)[0, WECHAT]
    assert (row.version_name, row.installer, row.since_from) == ("1.0", "com.xiaomi.market", None)


def test_readings_that_nobody_indexed_meanwhile_are_not_lost(site: Site, phone: HandsetRef) -> None:
    """The scheduler stood still, or one batch brought them all: what came and went is told all the same."""
    site.read(phone, 0, packages=[SYSTEM_APP], index=False)
    site.read(phone, 3, packages=[SYSTEM_APP, app(READER)], index=False)
    site.read(phone, 6, packages=[SYSTEM_APP], index=False)
    site.index()
    assert site.events(phone)[1:] == [("installed", 0, READER, 0, 3), ("removed", 0, READER, 3, 6)]
    assert site.index() == 0
    assert site.session.scalar(select(func.count()).select_from(SectionChange)) == 0


def test_a_late_reading_sets_nothing_back(site: Site, phone: HandsetRef) -> None:
    site.read(phone, 0, packages=[SYSTEM_APP])
    site.read(phone, 10, packages=[SYSTEM_APP, app(READER)])
    site.read(phone, 5, late=6, packages=[SYSTEM_APP])
    site.read(phone, 12, packages=[SYSTEM_APP, app(READER)])
    assert site.events(phone)[1:] == [("installed", 0, READER, 0, 10)]
    assert site.there(phone) == {(0, READER)}


def test_what_was_killed_in_the_middle_is_done_again_once(app: Flask, org: Org, files: PolicyFiles) -> None:
    from app.kernel.db import begin_write, db

    handset = HandsetRef(add_handset(app, org.centre, "S1"), org.centre, "S1", (), False)
    with app.app_context():
        session = begin_write(db.session())
        site = Site(session, files, START)
        site.read(handset, 0, packages=[SYSTEM_APP], index=False)
        session.commit()
        begin_write(session)
        assert index_changes(session, files, 10) == 1
        session.rollback()
        begin_write(session)
        assert site.events(handset) == []
        assert [index_changes(session, files, 10) for _ in range(2)] == [1, 0]
        assert [event[0] for event in site.events(handset)] == ["baseline"]
        session.rollback()
        db.session.remove()


def test_a_systems_own_app_is_listed_once_it_is_forbidden(
    site: Site, phone: HandsetRef, org: Org, files: PolicyFiles
) -> None:
    site.read(phone, 0, packages=[SYSTEM_APP, app(WECHAT)])
    assert relist(site.session, files, 100) == 0
    body = {"forbidden": {SYSTEM_APP["name"]: "浏览器"}}
    layer = LayerInput("allowlist", "centre", org.centre, body, "试")
    put_layer(site.session, SYSTEM, files, layer, expected_version=0, now=START)
    assert [relist(site.session, files, 100) for _ in range(2)] == [1, 0]
    assert (0, SYSTEM_APP["name"]) in site.there(phone)
    assert [event[0] for event in site.events(phone)] == ["baseline"]


def test_phones_from_before_the_index_are_taken_in(site: Site, phone: HandsetRef) -> None:
    site.read(phone, 0, packages=[SYSTEM_APP, app(WECHAT)], index=False)
    site.session.execute(SectionChange.__table__.delete())
    assert [site.index(), site.index()] == [1, 0]
    assert site.there(phone) == {(0, WECHAT)}


def test_a_phone_of_which_only_its_state_is_known_is_looked_at_once(site: Site, phone: HandsetRef) -> None:
    site.read(phone, 0)
    assert site.index() == 0
    assert site.session.scalar(select(func.count()).select_from(AppPhone)) == 1


def test_a_batch_takes_whole_phones_and_the_longest_waiting_first(
    app: Flask, org: Org, site: Site, phone: HandsetRef
) -> None:
    later = HandsetRef(uuid.uuid4(), org.centre, "S2", (), False)
    assert later.id != phone.id
    site.read(phone, 0, packages=[SYSTEM_APP], users=OWNER, index=False)
    site.read(phone, 3, packages=[], users=OWNER, index=False)
    assert [site.index(1), site.index(1)] == [1, 0]


@pytest.mark.parametrize(("days", "left"), [(400, 3), (1, 0)])
def test_what_is_old_is_forgotten(site: Site, phone: HandsetRef, days: int, left: int) -> None:
    import datetime as dt

    for minute, rows in ((0, [app(READER)]), (3, [app(READER), app(WECHAT)]), (6, [app(WECHAT)])):
        site.read(phone, minute, packages=rows)
    prune(site.session, START + dt.timedelta(days=5) - dt.timedelta(days=days))
    assert site.session.scalar(select(func.count()).select_from(AppEvent)) == left
    assert set(site.rows(phone)) == ({(0, WECHAT), (0, READER)} if left else {(0, WECHAT)})


def test_several_readings_of_one_phone_in_one_batch(site: Site, phone: HandsetRef) -> None:
    """A gateway that was cut off sends them together: the contents between are kept too."""
    rows = ([SYSTEM_APP], [SYSTEM_APP, app(READER)], [SYSTEM_APP])
    readings = [
        Reading(
            "S1", "tcp:x", age * 60_000_000, BOOT_A, 1, 60_000_000, "gateway", Power(None, None, None, None),
            {"packages": f"{len(packages):032x}"}, {"packages": packages}, (),
        )
        for age, packages in zip((9, 6, 3), rows, strict=True)
    ]  # fmt: skip
    agent = AgentRef(AGENT, phone.centre_id, "gateway")
    absorb(site.session, agent, [(reading, phone) for reading in readings], site.at(9))
    assert site.index() == 1
    assert site.events(phone)[1:] == [("installed", 0, READER, 0, 3), ("removed", 0, READER, 3, 6)]
