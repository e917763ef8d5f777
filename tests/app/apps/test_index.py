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
from app.readings.model import SectionChange
from app.registry import HandsetRef
from tests.app.apps.support import AWEME, OWNER, READER, SYSTEM_APP, WECHAT, Site, app
from tests.app.conftest import START, Org
from tests.app.uptime.support import add_handset

DUAL = [*OWNER, {"id": 999, "name": "dual", "running": True}]


def test_the_first_reading_is_a_baseline_and_tells_no_installation(site: Site, phone: HandsetRef) -> None:
    site.read(phone, 0, users=OWNER, packages=[app(WECHAT), app(READER), SYSTEM_APP])
    assert site.events(phone) == [("baseline", None, "", None, 0)]
    assert site.details(phone, "baseline")[0]["after"] == {"apps": 2, "users": [0]}
    assert site.there(phone) == {(0, WECHAT), (0, READER)}  # the system's own is no row
    row = site.rows(phone)[0, WECHAT]
    assert (row.version_name, row.installer, row.since_from) == ("1.0", "com.xiaomi.market", None)


def test_each_change_tells_the_span_in_which_it_happened(site: Site, phone: HandsetRef) -> None:
    site.read(phone, 0, packages=[app(WECHAT), app(READER), SYSTEM_APP])
    site.read(phone, 5, packages=[app(WECHAT), app(READER), SYSTEM_APP])
    hidden = SYSTEM_APP | {"enabled": False}
    site.read(phone, 9, packages=[app(WECHAT, code=2, suspended=True), app(AWEME), hidden])
    assert site.events(phone)[1:] == [
        ("disabled", 0, "com.android.browser", 5, 9),
        ("removed", 0, READER, 5, 9),
        ("installed", 0, AWEME, 5, 9),
        ("updated", 0, WECHAT, 5, 9),
        ("suspended", 0, WECHAT, 5, 9),
    ]
    told = site.details(phone, "updated")[0]
    assert (told["before"]["name"], told["after"]["name"]) == ("1.0", "2.0")
    gone = site.rows(phone)[0, READER]
    assert (site.minute(gone.gone_from), site.minute(gone.gone_at)) == (5, 9)
    assert site.there(phone) == {(0, WECHAT), (0, AWEME), (0, "com.android.browser")}
    site.read(phone, 12, packages=[app(WECHAT, code=2), app(AWEME, installer=None), SYSTEM_APP])
    kinds = [event[0] for event in site.events(phone)[6:]]
    assert kinds == ["enabled", "installer", "resumed"]
    assert site.details(phone, "installer") == [{"before": "com.xiaomi.market", "after": None}]


def test_an_app_that_comes_again_begins_a_new_stay(site: Site, phone: HandsetRef) -> None:
    for minute, there in ((0, []), (3, [READER]), (6, []), (9, [READER])):
        site.read(phone, minute, packages=[SYSTEM_APP, *map(app, there)])
    row = site.rows(phone)[0, READER]
    assert [site.minute(at) for at in (row.first_at, row.since_from, row.since_at)] == [3, 6, 9]
    assert row.gone_at is None
    assert [event[0] for event in site.events(phone)] == ["baseline", "installed", "removed", "installed"]


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


def test_a_user_that_cannot_be_read_any_more_is_not_removed(site: Site, phone: HandsetRef) -> None:
    both = [SYSTEM_APP, app(WECHAT), app(WECHAT, 999), app(READER, 999)]
    site.read(phone, 0, users=DUAL, packages=both)
    site.read(phone, 4, users=DUAL, packages=both)
    site.read(phone, 7, users=DUAL, packages=both[:2], unread=["packages.user.999"])
    assert site.events(phone)[1:] == [("user_away", 999, "", 4, 7)]
    assert {key for key in site.there(phone) if key[0] == 999} == {(999, WECHAT), (999, READER)}
    assert site.minute(site.rows(phone)[999, READER].unseen_at) == 4
    assert site.rows(phone)[0, WECHAT].unseen_at is None
    site.read(phone, 20, users=DUAL, packages=[*both[:3], app(AWEME, 999)])
    # What differs then happened at any time since that user was last read.
    assert site.events(phone)[2:] == [
        ("removed", 999, READER, 4, 20),
        ("installed", 999, AWEME, 4, 20),
        ("user_back", 999, "", 4, 20),
    ]
    assert site.rows(phone)[999, WECHAT].unseen_at is None


def test_a_list_that_is_not_whole_shows_what_came_and_not_what_went(site: Site, phone: HandsetRef) -> None:
    site.read(phone, 0, packages=[SYSTEM_APP, app(WECHAT), app(READER)])
    site.read(phone, 3, packages=[SYSTEM_APP, app(WECHAT), app(AWEME)], unread=["packages.user.0"])
    assert [event[:3] for event in site.events(phone)[1:]] == [("installed", 0, AWEME), ("user_away", 0, "")]
    assert (0, READER) in site.there(phone)
    site.read(phone, 9, packages=[SYSTEM_APP, app(WECHAT)])
    assert site.events(phone)[3:] == [
        ("removed", 0, READER, 0, 9),
        ("removed", 0, AWEME, 0, 9),
        ("user_back", 0, "", 0, 9),
    ]


def test_a_new_user_and_one_that_is_gone(site: Site, phone: HandsetRef) -> None:
    alone = [SYSTEM_APP, app(WECHAT)]
    site.read(phone, 0, users=OWNER, packages=alone)
    site.read(phone, 5, users=DUAL, packages=[*alone, app(WECHAT, 999), SYSTEM_APP | {"user": 999}])
    assert site.events(phone)[1:] == [("user_added", 999, "", 0, 5), ("user_read", 999, "", 0, 5)]
    assert site.details(phone, "user_read")[0]["after"] == {"apps": 1, "names": [WECHAT]}
    assert site.minute(site.rows(phone)[999, WECHAT].since_from) == 0
    site.read(phone, 8, users=OWNER, packages=alone)
    assert site.events(phone)[3:] == [("user_removed", 999, "", 5, 8)]
    assert site.there(phone) == {(0, WECHAT)}
    assert site.minute(site.rows(phone)[999, WECHAT].gone_at) == 8


def test_a_reset_begins_anew(site: Site, phone: HandsetRef) -> None:
    def identity(android_id: str | None) -> dict[str, object]:
        return {"serial": "S1", "android_id": android_id, "imei": [], "brand": "Xiaomi"}

    before = {"developer_options": True, "lock_screen": "pin"}
    site.read(phone, 0, identity=identity("a"), setup=before, packages=[SYSTEM_APP, app(READER), app(WECHAT)])
    site.read(
        phone, 3, identity=identity(None), setup=before, packages=[SYSTEM_APP, app(READER), app(WECHAT)]
    )
    after = {"developer_options": False, "lock_screen": "none"}
    site.read(phone, 9, identity=identity("b"), setup=after, packages=[SYSTEM_APP, app(WECHAT)])
    assert site.events(phone)[1:] == [("reset", None, "", 0, 9), ("baseline", None, "", None, 9)]
    assert site.there(phone) == {(0, WECHAT)}
    row = site.rows(phone)[0, WECHAT]
    assert (site.minute(row.since_at), row.since_from) == (9, None)
    site.read(phone, 12, identity=identity("b"), setup=before, packages=[SYSTEM_APP])
    assert [event[:3] for event in site.events(phone)[3:]] == [
        ("removed", 0, WECHAT),
        ("setting", None, "setup.developer_options"),
        ("setting", None, "setup.lock_screen"),
    ]


def test_a_new_version_of_the_system_is_one_event(site: Site, phone: HandsetRef) -> None:
    def parts(code: int) -> list[dict[str, object]]:
        return [app(f"com.vendor.p{n}", system=True, code=code, installer=None) for n in range(40)]

    old = {"fingerprint": "x/1", "security_patch": "2026-05-01"}
    new = {"fingerprint": "x/2", "security_patch": "2026-10-01"}
    site.read(phone, 0, identity=old, packages=[*parts(1), app(WECHAT)])
    site.read(phone, 5, identity=new, packages=[*parts(2), app(WECHAT, code=2)])
    assert site.events(phone)[1:] == [
        ("setting", None, "identity.fingerprint", 0, 5),
        ("setting", None, "identity.security_patch", 0, 5),
        ("updated", 0, WECHAT, 0, 5),
        ("system_apps", 0, "", 0, 5),
    ]
    site.read(phone, 9, identity=new, packages=[*parts(2)[1:], app("com.vendor.p0", system=True, code=3)])
    assert ("updated", 0, "com.vendor.p0", 5, 9) in site.events(phone)
    assert (0, "com.vendor.p0") in site.there(phone)


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
