"""What staff see of tests and of reach, what nobody sees, and who sees nothing."""

from __future__ import annotations

from typing import Any

from app.probes.model import Probe
from app.registry import Handset
from tests.support.site import NOT_REACHED, Site, told


def test_the_list_shows_each_phone_with_its_tests_and_never_a_planned_time(site: Site, client: Any) -> None:
    site.job("plan_probes")
    for row in site.probes(Probe.state == "planned"):
        assert row.planned_at.strftime("%H:%M:%S") not in client.get("/probes").text
    command = site.begin()
    site.report(command, told("reached", None))
    page = client.get("/probes").text
    assert "GJ-0000" in page
    assert "联系上" in page
    # The lot may have put all of today's tests before now.
    to_come = site.probes(Probe.state == "planned", Probe.planned_at > site.clock.now())
    assert ("还有" in page) is bool(to_come), "how many are still to come"
    assert "%" in page


def test_the_filters(site: Site, client: Any) -> None:
    command = site.begin()
    site.live(630, read=("S2",))
    site.report(command, NOT_REACHED)
    assert "GJ-0000" in client.get("/probes?only=failed").text
    assert "GJ-0001" not in client.get("/probes?only=failed").text
    assert "没有符合的手机" in client.get("/probes?only=away").text
    assert "GJ-0001" in client.get("/probes?q=0001").text
    assert "GJ-0000" not in client.get("/probes?q=0001").text
    assert client.get("/probes?centre=x&only=y&cursor=").status_code == 200


def test_a_phones_page_tells_the_tries_and_whether_they_count(site: Site, client: Any) -> None:
    site.live(360, read=("S2",))
    command = site.begin(read=("S2",))
    site.live(630, read=("S2",))
    site.report(command, NOT_REACHED)
    path = f"/probes/phones/{site.phones['S1']}"
    page = client.get(path).text
    assert page.count("算数</span>") == 4
    assert "没联系上" in page
    assert "前台网关" in page
    site.live(60)
    assert client.get(path).text.count("不算数</span>") == 4, "one boot on both sides: it was on"


def test_testing_now_asks_first(site: Site, client: Any) -> None:
    path = f"/probes/phones/{site.phones['S1']}/start"
    assert "开始测试" in client.get(path).text
    assert site.probes() == []
    assert client.post(path).status_code == 303
    (probe,) = site.probes()
    assert (probe.cause, probe.state) == ("person", "planned")


def test_who_may_look_and_who_may_test(site: Site, as_user: Any) -> None:
    centre, other = site.phones.centre, site.phones.other_centre
    path = f"/probes/phones/{site.phones['S1']}"
    api = f"/api/v1/handsets/{site.phones['S1']}/probes"
    allowed = {"admin": 303, "operations": 303, "lead": 303, "it": 303, "auditor": 403, "finance": 403}
    for role, code in allowed.items():
        caller = as_user(role, None if role == "admin" else centre)
        assert caller.get("/probes").status_code == 200
        assert caller.get(path).status_code == 200
        assert caller.post(f"{path}/start").status_code == code, role
    butler = as_user("butler", centre)
    assert [butler.get(p).status_code for p in ("/probes", path, "/api/v1/probes")] == [403, 403, 403]
    assert butler.post(api).status_code == 403
    stranger = as_user("lead", other)
    assert stranger.get(path).status_code == 404
    assert stranger.post(api).status_code == 404
    assert "GJ-0000" not in stranger.get("/probes").text


def test_the_api_tells_tests_that_were_sent_and_none_that_is_planned(site: Site, client: Any) -> None:
    site.job("plan_probes")
    assert client.get("/api/v1/probes").get_json()["items"] == []
    planned = site.probes(Probe.state == "planned")[0]
    assert client.get(f"/api/v1/probes/{planned.id}").status_code == 404
    started = client.post(f"/api/v1/handsets/{site.phones['S1']}/probes")
    assert started.status_code == 201
    site.job("send_probes")
    (command,) = site.checkin(read=("S2",))
    site.live(630, read=("S2",))
    site.report(command, NOT_REACHED)
    (item,) = client.get(f"/api/v1/probes?state=not_reached&handset_id={site.phones['S1']}").get_json()[
        "items"
    ]
    assert item["id"] == started.get_json()["id"]
    assert "planned_at" not in item
    one = client.get(f"/api/v1/probes/{item['id']}").get_json()
    assert [t["counts"] for t in one["tries"]] == [False, False, True, True]
    assert client.get("/api/v1/probes?state=planned").status_code == 422


def test_an_empty_list_says_what_to_do(app: Any, client: Any) -> None:
    assert "还没有手机" in client.get("/probes").text


def test_a_retired_phone_cannot_be_tested_but_read_about(site: Site, client: Any) -> None:
    with site.session() as session:
        session.get_one(Handset, site.phones["S1"]).retired_at = site.clock.now()
    page = client.get(f"/probes/phones/{site.phones['S1']}").text
    assert "现在测试" not in page
    assert client.post(f"/probes/phones/{site.phones['S1']}/start").status_code == 409
