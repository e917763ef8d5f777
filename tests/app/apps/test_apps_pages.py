"""The list of a fleet, one app, a phone's changes: what they show, to whom, and how an app is named."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import update

from app.apps.changes import hidden_again, list_carriers, list_phone_changes
from app.apps.fleet import Wanted, fleet_apps, page_of, with_versions
from app.kernel.db import begin_write, db
from app.kernel.errors import Invalid, NotFound
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import LayerInput, PolicyFiles, put_layer
from app.registry import Handset, HandsetRef
from tests.app.apps.support import AWEME, OWNER, READER, SYSTEM_APP, WECHAT, Site
from tests.app.apps.support import app as row
from tests.app.conftest import ON_SQLITE, START, Caller, Org
from tests.app.uptime.support import add_handset
from tests.support.browser import words

OWN = "com.zhuzher.staff"


@pytest.fixture
def other(app: Flask, org: Org) -> HandsetRef:
    return HandsetRef(add_handset(app, org.other_centre, "S2"), org.other_centre, "S2", (), False)


@pytest.fixture
def fleet(other: HandsetRef, site: Site, phone: HandsetRef) -> Site:
    """Two phones of two centres, read twice; the first got 抖音 and lost a reader."""
    dual = [*OWNER, {"id": 999, "name": "", "running": True}]
    both = [SYSTEM_APP, row(WECHAT), row(WECHAT, 999), row(READER), row(OWN)]
    site.read(phone, 0, users=dual, packages=both)
    site.read(other, 1, users=OWNER, packages=[SYSTEM_APP, row(WECHAT, code=2), row(OWN)])
    site.read(phone, 60, users=dual, packages=[*both[:3], row(OWN), row(AWEME, installer=None)])
    return site


def viewer(*centres: object) -> Principal:
    return Principal("v", frozenset({"lead"}), frozenset(centres))  # type: ignore[arg-type]


def test_the_fleet_by_app(fleet: Site, files: PolicyFiles, org: Org) -> None:
    found = fleet_apps(fleet.session, SYSTEM, files, Wanted())
    assert (found.phones, found.total, found.hidden) == (2, 3, 0)
    assert [(a.package, a.label, a.phones, a.others, a.places) for a in found.found] == [
        (WECHAT, "微信", 2, 1, ("required",)),
        (OWN, None, 2, 0, ("unlisted",)),
        (AWEME, "抖音", 1, 0, ("forbidden",)),
    ]
    rows = {row.package: row for row in with_versions(fleet.session, SYSTEM, Wanted(), found.found)}
    assert rows[WECHAT].versions == (("1.0", 2), ("2.0", 1))
    assert (fleet.minute(rows[WECHAT].first_at), rows[WECHAT].newest_at) == (0, None)
    assert fleet.minute(rows[AWEME].newest_at) == 60


def test_narrowed_sorted_and_cut_into_pages(fleet: Site, files: PolicyFiles) -> None:
    def shown(**changed: Any) -> list[str]:
        return [a.package for a in fleet_apps(fleet.session, SYSTEM, files, Wanted(**changed)).found]

    assert shown(text="抖") == shown(place="forbidden") == [AWEME]
    assert shown(text="ZHUZHER") == [OWN]
    assert shown(place="preset") == []
    assert shown(sort="-newest") == [AWEME, WECHAT, OWN]
    assert shown(sort="-package") == [OWN, WECHAT, AWEME]
    assert shown(sort="name")[-1] == OWN  # what nobody named comes last
    found = fleet_apps(fleet.session, SYSTEM, files, Wanted()).found
    first = page_of(found, Wanted(), None, 2)
    second = page_of(found, Wanted(), first.next_cursor, 2)
    assert ([*first.items, *second.items], second.next_cursor) == (found, None)
    with pytest.raises(Invalid):
        page_of(found, Wanted(sort="name"), first.next_cursor, 2)


def test_tenants_and_retired_phones(fleet: Site, files: PolicyFiles, org: Org, phone: HandsetRef) -> None:
    mine = viewer(org.other_centre)
    assert {a.package for a in fleet_apps(fleet.session, mine, files, Wanted()).found} == {WECHAT, OWN}
    centre = Wanted(centre_id=org.centre)
    assert fleet_apps(fleet.session, mine, files, centre).found == []
    assert fleet_apps(fleet.session, SYSTEM, files, centre).phones == 1
    assert list_carriers(fleet.session, mine, files, AWEME, limit=9)[1] == 0
    with pytest.raises(NotFound):
        list_phone_changes(fleet.session, mine, files, phone.id, cursor=None, limit=9)
    fleet.session.execute(update(Handset).where(Handset.id == phone.id).values(retired_at=START))
    assert {a.package for a in fleet_apps(fleet.session, SYSTEM, files, Wanted()).found} == {WECHAT, OWN}
    rows, _ = list_carriers(fleet.session, SYSTEM, files, AWEME, gone=True, limit=9)
    assert [row.retired_at for row in rows] == [START]


def test_a_phone_that_moved_shows_its_apps_where_it_is(
    fleet: Site, files: PolicyFiles, org: Org, phone: HandsetRef
) -> None:
    fleet.session.execute(update(Handset).where(Handset.id == phone.id).values(centre_id=org.other_centre))
    mine = viewer(org.other_centre)
    assert AWEME in {a.package for a in fleet_apps(fleet.session, mine, files, Wanted()).found}
    assert fleet_apps(fleet.session, viewer(org.centre), files, Wanted()).found == []


def test_a_place_that_differs_by_centre_is_shown_as_both(fleet: Site, files: PolicyFiles, org: Org) -> None:
    layer = LayerInput("allowlist", "centre", org.centre, {"allowed": {OWN: "助这儿"}}, "试")
    put_layer(fleet.session, SYSTEM, files, layer, expected_version=0, now=START)
    found = {a.package: a.places for a in fleet_apps(fleet.session, SYSTEM, files, Wanted()).found}
    assert found[OWN] == ("allowed", "unlisted")
    rows, total = list_carriers(fleet.session, SYSTEM, files, OWN, limit=9)
    assert (total, [row.place for row in rows]) == (2, ["allowed", "unlisted"])


def test_who_has_it_and_who_had_it(fleet: Site, files: PolicyFiles) -> None:
    rows, total = list_carriers(fleet.session, SYSTEM, files, WECHAT, sort="-version", limit=2)
    assert (total, [row.version_name for row in rows]) == (3, ["2.0", "1.0"])
    again, _ = list_carriers(fleet.session, SYSTEM, files, WECHAT, sort="-version", offset=2, limit=2)
    assert {row.where for row in [*rows, *again]} == {"", "用户空间 999（应用分身）"}
    gone, _ = list_carriers(fleet.session, SYSTEM, files, READER, gone=True, limit=9)
    assert [(fleet.minute(r.gone_from), fleet.minute(r.gone_at)) for r in gone] == [(0, 60)]
    assert list_carriers(fleet.session, SYSTEM, files, WECHAT, text="2.0", limit=9)[1] == 1
    assert list_carriers(fleet.session, SYSTEM, files, WECHAT, text="%", limit=9)[1] == 0


def test_changes_by_group_and_since(fleet: Site, files: PolicyFiles, phone: HandsetRef) -> None:
    def kinds(**wanted: object) -> list[str]:
        page = list_phone_changes(
            fleet.session, SYSTEM, files, phone.id, cursor=None, limit=9, **wanted  # type: ignore[arg-type]
        )  # fmt: skip
        return [row.kind.value for row in page.items]

    assert kinds() == ["installed", "removed", "baseline"]
    assert kinds(group="apps") == ["installed", "removed"]
    assert kinds(group="accounts") == []
    assert kinds(since=START + dt.timedelta(minutes=30)) == ["installed", "removed"]
    told = list_phone_changes(fleet.session, SYSTEM, files, phone.id, cursor=None, limit=1)
    assert (told.items[0].title, told.items[0].detail) == (
        "抖音（com.ss.android.ugc.aweme）",
        "版本 1.0，没有安装来源（手动安装或未记录）",
    )
    assert told.next_cursor


def hides(fleet: Site, phone: HandsetRef, minute: float, **state: object) -> None:
    fleet.read(phone, minute, packages=[row(WECHAT), row(AWEME, **state)])  # type: ignore[arg-type]


def test_an_app_that_is_put_away_and_brought_back_again(
    fleet: Site, files: PolicyFiles, phone: HandsetRef
) -> None:
    def found(since: float = 0) -> list[tuple[str, int, float | None]]:
        told = hidden_again(fleet.session, SYSTEM, files, phone.id, START + dt.timedelta(minutes=since))
        return [(one.package, one.times, fleet.minute(one.at)) for one in told]

    for minute, state in enumerate(({"enabled": False}, {}, {"suspended": True}), 100):
        hides(fleet, phone, minute, **state)
    assert found() == [], "brought back once"
    hides(fleet, phone, 103)
    assert found() == [(AWEME, 2, 103)], "its first installation was no return"
    fleet.read(phone, 104, packages=[row(WECHAT)])
    hides(fleet, phone, 105)
    assert found() == [(AWEME, 3, 105)]
    assert found(since=104) == []


def test_what_was_never_seen_back_is_no_game(fleet: Site, files: PolicyFiles, phone: HandsetRef) -> None:
    for minute in range(100, 104):
        hides(fleet, phone, minute, enabled=False)
    assert hidden_again(fleet.session, SYSTEM, files, phone.id, None) == []


@ON_SQLITE
def test_within_a_minute_the_seconds_are_told(
    app: Flask, org: Org, files: PolicyFiles, as_user: Callable[..., Caller]
) -> None:
    phone = HandsetRef(add_handset(app, org.centre, "S1"), org.centre, "S1", (), False)
    with app.app_context():
        site = Site(begin_write(db.session()), files, START)
        site.read(phone, 60, packages=[row(WECHAT)])
        site.read(phone, 60.5, packages=[row(WECHAT), row(AWEME)])
        site.session.commit()
        db.session.remove()
    page = as_user("lead", org.centre).get(f"/phones/{phone.id}/changes?since=2026-11-01").text
    assert "2026-11-22 11:00:00 至 11:00:30 之间" in words(page)


@ON_SQLITE
def test_over_http(app: Flask, org: Org, files: PolicyFiles, as_user: Callable[..., Caller]) -> None:
    """The pages and the API, an export, and an app that gets a name."""
    phone = HandsetRef(add_handset(app, org.centre, "S1"), org.centre, "S1", (), False)
    with app.app_context():
        site = Site(begin_write(db.session()), files, START)
        site.read(phone, 0, packages=[row(WECHAT), row(READER), row(OWN), row(WECHAT, 999)])
        site.read(phone, 60, packages=[row(WECHAT), row(AWEME, installer=None), row(OWN), row(WECHAT, 999)])
        site.session.commit()
        db.session.remove()
    lead, clerk = as_user("lead", org.centre), as_user("operations", org.centre)
    assert as_user("butler", org.centre).get("/apps").status_code == 403
    text = words(lead.get("/apps").text)
    assert "微信" in text
    assert "com.zhuzher.staff 没有名称" in text
    page = words(lead.get(f"/phones/{phone.id}/changes?since=2026-11-01").text)
    assert "抖音（com.ss.android.ugc.aweme）" in page
    assert "2026-11-22 10:00 至 11:00 之间" in page
    assert "没有读到变化" in words(lead.get(f"/phones/{phone.id}/changes?since=2099-01-01").text)
    assert lead.get("/apps/com.nobody.has.it").status_code == 404
    assert "给它一个名称" not in lead.get(f"/apps/{OWN}").text
    found = lead.get("/api/v1/apps?q=zhuzher").json
    assert [(row["package"], row["phones"]) for row in found["items"]] == [(OWN, 1)]
    carriers = lead.get(f"/api/v1/apps/{WECHAT}").json
    assert (carriers["label"], carriers["total"]) == ("微信", 2)
    changes = lead.get(f"/api/v1/handsets/{phone.id}/changes?group=apps").json
    assert [row["kind"] for row in changes["items"]] == ["installed", "removed"]
    book = load_workbook(io.BytesIO(lead.get("/apps.xlsx").data))
    assert [cell.value for cell in next(book.active.rows)][:2] == ["名称", "包名"]
    form = {"label": "助这儿", "scope": f"centre:{org.centre}", "reason": "桌面图标"}
    assert lead.post(f"/apps/{OWN}/label", data=form).status_code == 403
    assert clerk.post(f"/apps/{OWN}/label", data=form).status_code == 303
    assert "助这儿" in words(lead.get("/apps?q=助这儿").text)
    assert (
        clerk.post(f"/apps/{OWN}/label", data=form | {"scope": f"district:{org.district}"}).status_code == 403
    )
    assert clerk.post(f"/apps/{OWN}/label", data=form | {"scope": "x"}).status_code == 422
    assert "反复收起又打开" not in lead.get(f"/phones/{phone.id}/changes?since=2026-11-01").text
    with app.app_context():
        site = Site(begin_write(db.session()), files, START)
        for minute, enabled in enumerate((False, True, False, True), 70):
            hides(site, phone, minute, enabled=enabled)
        site.session.commit()
        db.session.remove()
    page = words(lead.get(f"/phones/{phone.id}/changes?since=2026-11-01").text)
    assert "反复收起又打开的应用 1 个" in page
    assert "抖音（com.ss.android.ugc.aweme） 2 次" in page
    assert (
        "反复收起又打开" not in lead.get(f"/phones/{phone.id}/changes?group=accounts&since=2026-11-01").text
    )
