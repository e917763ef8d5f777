"""A butler leaves: the lead takes the kit with one thing missing and a cracked screen, the successor collects it.

A real server and browser, a simulated phone that a real agent reads while they stand there. At the end each of them
answers for what happened in his own time, and for nothing else.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy.orm import Session

from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.simulator.state import PhoneState
from app.demo.handover_story import Handovers
from app.demo.people import DEMO_PASSWORD
from app.demo.pictures import phone_front
from app.demo.secrets import seed_secrets
from app.demo.seed import SINCE, seed
from app.demo.users import seed_butler, seed_users
from app.handover import AtHand, ChangeKind, LegRecord, differences_of, last_records
from app.kernel.clock import SystemClock
from app.kernel.db import db
from app.kernel.tenancy import SYSTEM
from app.registry import RESOURCES, create, holding_of
from app.runtime import Runtime
from tests.e2e.story import (
    House,
    Person,
    _quick_hashes,
    chromium,
    demo_phone,
    no_phones,
    people,
    reading_agent,
    served,
)

__all__ = ["_quick_hashes", "chromium", "people"]


@dataclass
class Kits(House):
    """Two issued kits; the first one's phone is read by an agent."""

    handset: str
    post: str


def _now() -> dt.datetime:
    return SystemClock().now()


def _issued(states: list[PhoneState]) -> Callable[[Session, Runtime, dt.datetime], Any]:
    """The demo's centre with two issued kits, and somebody who is to come."""

    def fill(session: Session, here: Runtime, now: dt.datetime) -> tuple[uuid.UUID, Any]:
        phones = [*map(demo_phone, states), *no_phones("SPARE", 3)]
        seeded = seed(session, phones, here.policies, now)
        seed_users(session, seeded.code, now - SINCE)
        posts = [post for _, post in seeded.kits]
        filed = now - SINCE + dt.timedelta(hours=1)
        seed_secrets(session, posts, vault=here.vault, policies=here.policies, now=filed)
        kits = seeded.kits[:2]
        at_hand = AtHand(here.policies, here.keys, here.blobs)
        assert Handovers(session, seeded.centre, at_hand, now, kits).tell() == 2
        values = {"centre_id": seeded.centre, "number": "E0300", "name": "钱书宁"}
        successor = create(session, SYSTEM, RESOURCES["employees"], values, now).id
        seed_butler(session, seeded.centre, successor, now)
        return seeded.centre, kits

    return fill


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Kits]:
    states = [make_phone(i, seed=12) for i in range(2)]
    with served(tmp_path, _issued(states)) as site, Fleet(states[1:]) as fleet:
        handset, post = site.made[1]
        with reading_agent(site.url, site.code, fleet.ports[0], tmp_path):
            yield Kits(site.app, site.url, str(handset), str(post))


def test_a_butler_leaves_and_a_successor_collects(house: Kits, people: Callable[[str], Person]) -> None:
    lead = people("zhuguan")
    page = lead.page
    lead.go(f"/handovers/new?post={house.post}")
    page.get_by_label("原因").select_option(label="离职")
    page.get_by_label("接收人").select_option(label="钱书宁（E0300）")
    lead.press("开始")
    case = page.url.removeprefix(house.url)
    page.get_by_role("link", name="继续清点").click()

    # Everything is as it was but two things; each card saves itself.
    lead.press("没清点的 8 件都和上次一样")
    phone = page.locator("section.panel").filter(has=page.get_by_text("IMEI1"))
    phone.get_by_role("radio", name="有裂痕").check()
    phone.get_by_role("textbox").fill("左上角裂开")
    phone.get_by_role("textbox").blur()
    charger = page.get_by_label("充电器", exact=True)
    charger.get_by_role("radio", name="不在", exact=True).check()
    expect(charger.get_by_role("radio", name="有裂痕")).to_be_hidden()
    charger.get_by_role("textbox").fill("说是丢了")
    charger.get_by_role("textbox").blur()
    picture = {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": phone_front("GJ", cracked=True)}
    phone.locator("input[type=file]").set_input_files(picture)  # type: ignore[arg-type]
    expect(phone.get_by_role("img")).to_have_count(1)
    lead.fits()
    for unsaved in ("还没有保存", "正在保存"):
        expect(page.get_by_text(unsaved)).to_have_count(0)
    page.reload()
    expect(phone.get_by_role("radio", name="有裂痕")).to_be_checked()
    expect(phone.get_by_role("textbox")).to_have_value("左上角裂开")
    expect(charger.get_by_role("radio", name="不在", exact=True)).to_be_checked()
    expect(charger.get_by_role("textbox")).to_have_value("说是丢了")

    # The phone in his hand is read while they wait.
    page.get_by_role("link", name="下一步：检测").click()
    lead.press("现在读一次")
    row = page.get_by_role("row").filter(has_text="身份与登记一致")
    expect(row.get_by_text("通过", exact=True)).to_be_visible(timeout=30_000)

    # The leaver signs on the lead's screen with his own name and password.
    page.get_by_role("link", name="核对全文").click()
    expect(page.get_by_text("左上角裂开").first).to_be_visible()
    lead.press("定稿，开始签字")
    lead.sign(password=DEMO_PASSWORD)
    lead.fits()
    page.get_by_role("link", name="李文博在这台设备上签").click()
    lead.sign(signer_login="guanjia", signer_password=DEMO_PASSWORD)
    expect(page.get_by_text("双方已签字，交接完成。")).to_be_visible()
    lead.fits()
    for name, change in (("充电器", "缺失"), ("左上角裂开", "变差")):
        row = page.get_by_role("row").filter(has_text=name)
        expect(row).to_contain_text(change)
        expect(row).to_contain_text("李文博")

    # The successor reads and signs on his own phone.
    lead.go(case)
    page.get_by_role("link", name="继续清点").click()
    lead.press("没清点的 8 件都和上次一样")
    page.get_by_role("link", name="核对全文").click()
    lead.press("定稿，开始签字")
    lead.sign(password=DEMO_PASSWORD)
    expect(page.get_by_text("已签字，等另一方。")).to_be_visible()
    successor = people("e0300")
    successor.go("/my/handovers")
    successor.fits()
    successor.page.get_by_role("link", name="去签字").click()
    successor.sign(password=DEMO_PASSWORD)
    expect(successor.page.get_by_text("双方已签字，交接完成。")).to_be_visible()
    link = successor.page.get_by_role("link", name="打开 PDF").get_attribute("href")
    printed = successor.page.request.get(house.url + str(link))
    assert (printed.status, printed.body()[:5]) == (200, b"%PDF-")
    assert house.complaints == []
    _liability_lies_with_the_leaver(house)


def _liability_lies_with_the_leaver(house: Kits) -> None:
    with house.app.app_context():
        session = db.session()
        holding = holding_of(session, uuid.UUID(house.post), _now())
        assert holding is not None
        collected, taken, _ = last_records(session, uuid.UUID(house.handset))
        assert (collected.receiver_id, taken.receiver_id) == (holding.employee_id, None)
        found = _changes(session, taken)
        assert found == {
            "充电器": ("missing", taken.giver_id),
            taken.items[0].name: ("worse", taken.giver_id),
        }
        assert _changes(session, collected) == {}
        db.session.remove()


def _changes(session: Session, record: LegRecord) -> dict[str, tuple[str, uuid.UUID | None]]:
    """What is not as it was, with who answers for it."""
    return {
        change.name: (str(change.kind), change.in_custody_of.employee_id if change.in_custody_of else None)
        for change in differences_of(session, SYSTEM, record.leg_id)
        if change.kind is not ChangeKind.SAME
    }
