"""Incidents on pages and by API, for each role: staff their centre's, a butler his own, nobody else anything."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

import pytest
from flask import Flask

from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.kernel.tenancy import SYSTEM
from app.policy import LayerInput, put_layer
from app.readings.model import PhoneJournal, PhoneSection
from app.runtime import runtime
from tests.app.conftest import Org
from tests.app.incidents.support import Phone, boot, replayed
from tests.app.uptime.support import AGENT, add_handset

API = "/api/v1/incidents"


@dataclass(frozen=True)
class Ruled:
    phone: uuid.UUID
    proved: uuid.UUID
    left: uuid.UUID


@pytest.fixture
def ruled(app: Flask, org: Org, clock: FixedClock) -> Ruled:
    """One incident confirmed by proof, one left to the lead; committed, and no session of ours is open."""
    handset_id = add_handset(app, org.centre, "S1")
    with app.app_context():
        phone = Phone(begin_write(db.session()), org, clock, handset_id)
        phone.held_by(org.zhang)
        phone.was_off(-60, -55)
        phone.dialled(-57)
        phone.reads(2, -40, -55)
        phone.reads(5, -10, -11)
        phone.reported(-25)
        phone.settle(0)
        proved, left = phone.incidents()
        assert (proved.status, left.status) == ("confirmed", "undecided")
        found = Ruled(handset_id, proved.id, left.id)
        phone.session.commit()
        db.session.remove()
    return found


def test_the_list_and_its_filters(ruled: Ruled, org: Org, as_user) -> None:  # type: ignore[no-untyped-def]
    lead = as_user("lead", org.centre)
    page = lead.get("/incidents").text
    assert page.count('<th scope="row"') == 2
    assert "张三" in page
    for query, number in (
        ("status=undecided", 1),
        ("status=confirmed&month=2026-11", 1),
        ("month=2025-01", 0),
        ("month=x&status=y&sort=z&state=q", 2),
        ("q=E001", 2),
        ("q=GJ-S1", 2),
        ("q=%25", 0),
        ("state=waiting", 1),
        (f"centre={org.other_centre}", 0),
        (f"phone={ruled.phone}&gone=1&sort=changed", 2),
    ):
        answer = lead.get(f"/incidents?{query}")
        assert (answer.status_code, answer.text.count('<th scope="row"')) == (200, number), query


def test_the_page_of_one_shows_evidence_history_and_policy(ruled: Ruled, org: Org, as_user) -> None:  # type: ignore[no-untyped-def]
    lead = as_user("lead", org.centre)
    proved = ruled.proved
    page = lead.get(f"/incidents/{proved}").text
    for words in (
        "手机自身的记录证明",
        "拨测：已关机",
        "结论的变化",
        "一直关机时再次计次",
        "申诉期限",
        "R01",
        "trace.jsonl",
    ):
        assert words in page, words
    assert "予以免除" in page
    assert "手机自身的记录证明了关机。" in page
    assert "负责人或复核人认定" not in page


def test_what_the_phone_said_of_its_battery_and_its_boots_stands_beside(  # type: ignore[no-untyped-def]
    app: Flask, ruled: Ruled, org: Org, as_user, clock: FixedClock
) -> None:
    with app.app_context():
        session = begin_write(db.session())
        last = {"battery_percent": 4, "charging": False, "airplane_mode": None, "sim": None}
        session.add(
            PhoneJournal(
                handset_id=ruled.phone, boot_id=uuid.UUID(boot(1)), centre_id=org.centre, boot_count=41,
                first_uptime_us=0, last_uptime_us=7_200_000_000, lines=120, journal_end="shutdown", grade="gateway",
                collected_at=clock.now(), received_at=clock.now(), agent_id=AGENT, **last,
            )
        )  # fmt: skip
        told = {
            "boot_reasons": [
                {"reason": "shutdown,battery", "at": 1_792_000_000},
                {"reason": "reboot", "at": 999_999_999_999},
                {"reason": "kernel_panic", "at": None},
            ],
            "power_history": [
                {"source": "usagestats", "event": "shutdown", "phone_clock": "2026-11-20 13:00:00"}
            ],
        }
        for name, data in told.items():
            session.add(
                PhoneSection(
                    handset_id=ruled.phone, name=name, centre_id=org.centre, tag="0" * 16, data=json.dumps(data),
                    at=clock.now(),
                )
            )  # fmt: skip
        session.commit()
        db.session.remove()
    lead = as_user("lead", org.centre)
    page = lead.get(f"/incidents/{ruled.proved}").text
    assert "可能是没电" not in page
    for words in ("2026-10-15 01:46:40 开机", "shutdown,battery", "2026-11-20 13:00:00 关机"):
        assert words in page, words
    assert page.count("时刻不明 开机") == 2
    with app.app_context():
        layer = LayerInput("uptime", "centre", org.centre, {"empty_battery_percent": 4}, "旧电池")
        put_layer(
            begin_write(db.session()), SYSTEM, runtime().policies, layer, expected_version=0, now=clock.now()
        )
        db.session.commit()
        db.session.remove()
    assert "可能是没电" in lead.get(f"/incidents/{ruled.proved}").text


@pytest.mark.parametrize("role", ["operations", "it", "finance", "auditor"])
def test_other_staff_see_and_do_not_decide(ruled: Ruled, org: Org, as_user, role: str) -> None:  # type: ignore[no-untyped-def]
    caller = as_user(role, org.centre)
    left = ruled.left
    assert "<textarea" not in caller.get(f"/incidents/{left}").text
    form = {"status": "refuted", "reason": "x", "version": "1"}
    assert caller.post(f"/incidents/{left}/decide", data=form).status_code == 403


def test_strangers_and_other_centres(ruled: Ruled, org: Org, as_user, anonymous) -> None:  # type: ignore[no-untyped-def]
    far = as_user("lead", org.other_centre)
    proved = ruled.proved
    for path in (
        f"/incidents/{proved}",
        f"{API}/{proved}",
        f"{API}/{proved}/trace",
        f"/my/incidents/{proved}",
    ):
        assert far.get(path).status_code == 404
        assert anonymous.get(path).status_code in (302, 303, 401)
    assert far.get(API).json["items"] == []


def test_a_lead_decides_by_form_and_a_second_time_is_refused(ruled: Ruled, org: Org, as_user) -> None:  # type: ignore[no-untyped-def]
    lead = as_user("lead", org.centre)
    left = ruled.left
    form = {"status": "confirmed", "reason": "回访住户证实", "version": "1"}
    assert lead.post(f"/incidents/{left}/decide", data={**form, "version": "9"}).status_code == 412
    assert lead.post(f"/incidents/{left}/decide", data={**form, "version": "x"}).status_code == 412
    done = lead.post(f"/incidents/{left}/decide", data=form)
    assert (done.status_code, done.headers["Location"]) == (303, f"/incidents/{left}")
    page = lead.get(f"/incidents/{left}").text
    assert "回访住户证实" in page
    assert "由负责人或复核人认定成立" in page
    assert "<textarea" not in page
    assert lead.post(f"/incidents/{left}/decide", data={**form, "version": "3"}).status_code in (409, 412)


def test_a_butler_sees_his_own_and_appeals_once(ruled: Ruled, org: Org, as_user) -> None:  # type: ignore[no-untyped-def]
    zhang = as_user("butler", org.centre, employee=org.zhang)
    li = as_user("butler", org.centre, employee=org.li)
    lead = as_user("lead", org.centre, name="王负责")
    proved, left = ruled.proved, ruled.left
    assert zhang.get("/incidents").status_code == 403
    assert zhang.get("/my/incidents").text.count('<th scope="row"') == 2
    assert "没有与您有关的" in li.get("/my/incidents").text
    assert li.get(f"/my/incidents/{proved}").status_code == 404
    assert li.get(f"{API}/{proved}").status_code == 404
    assert "<textarea" not in zhang.get(f"/my/incidents/{left}").text
    page = zhang.get(f"/my/incidents/{proved}").text
    assert "提交申诉" in page
    assert "张三" not in page
    path = f"/my/incidents/{proved}/appeal"
    assert li.post(path, data={"statement": "x"}).status_code == 404
    assert zhang.post(path, data={"statement": " "}).status_code == 422
    assert zhang.post(path, data={"statement": "当时手机在维修"}).status_code == 303
    assert zhang.post(path, data={"statement": "再来"}).status_code == 409
    form = {
        "status": "refuted",
        "reason": "维修单已核",
        "version": str(lead.get(f"{API}/{proved}").json["version"]),
    }
    assert "当时手机在维修" in lead.get(f"/incidents/{proved}").text
    assert zhang.post(f"/incidents/{proved}/appeal/decide", data=form).status_code == 403
    assert lead.post(f"/incidents/{proved}/appeal/decide", data=form).status_code == 303
    page = zhang.get(f"/my/incidents/{proved}").text
    assert "维修单已核" in page
    assert "由负责人或复核人认定不成立" in page
    assert "王负责" not in page
    assert zhang.get(f"{API}/{proved}").json["status"] == "refuted"


def test_the_api_lists_reads_and_decides(ruled: Ruled, org: Org, as_user) -> None:  # type: ignore[no-untyped-def]
    lead = as_user("lead", org.centre)
    proved, left = ruled.proved, ruled.left
    items = lead.get(f"{API}?status=undecided&sort=-changed").json["items"]
    assert [item["id"] for item in items] == [str(left)]
    one = lead.get(f"{API}/{proved}")
    assert one.headers["ETag"] == f'"v{one.json["version"]}"'
    assert one.json["hits"][0]["source"] == "dial_test"
    assert one.json["evidence"][0].startswith("手机自身")
    assert one.json["changes"][0]["before"] is None
    body = {"status": "refuted", "reason": "查无实据"}
    path = f"{API}/{left}/decide"
    assert lead.post(path, json=body).status_code == 428
    assert lead.post(path, json=body, headers={"If-Match": '"v9"'}).status_code == 412
    assert lead.post(path, json={**body, "status": "x"}, headers={"If-Match": '"v1"'}).status_code == 422
    done = lead.post(path, json=body, headers={"If-Match": '"v1"'})
    assert (done.status_code, done.json["status"], done.json["state"]) == (200, "refuted", "decided")
    assert lead.get(f"{API}?month=2026-13").status_code == 422


def test_the_trace_is_for_staff_and_replays(app: Flask, ruled: Ruled, org: Org, as_user) -> None:  # type: ignore[no-untyped-def]
    auditor = as_user("auditor", org.centre)
    zhang = as_user("butler", org.centre, employee=org.zhang)
    proved = ruled.proved
    for path in (f"/incidents/{proved}/trace.jsonl", f"{API}/{proved}/trace"):
        answer = auditor.get(path)
        assert answer.mimetype == "application/x-ndjson"
        assert zhang.get(path).status_code == 403
    with app.app_context():
        told = replayed(answer.data)
    statuses = [one["status"] for one in told["phones"][str(ruled.phone)]["incidents"]]
    assert statuses == ["confirmed", "undecided"]


def test_whoever_is_no_employee_has_no_own_incidents(ruled: Ruled, org: Org, as_user) -> None:  # type: ignore[no-untyped-def]
    lead = as_user("lead", org.centre)
    assert lead.get("/my/incidents").status_code == 403
