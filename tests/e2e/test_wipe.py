"""A phone that is done with: IT finds it in the row, a lead approves, it is erased, looked at, and certified.

A real server and browser, a simulated phone that a real agent reads and erases. Nobody is told that it is empty before
somebody else has looked.
"""

from __future__ import annotations

import datetime as dt
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import expect
from sqlalchemy.orm import Session

from agent.simulator.fleet import Fleet
from agent.simulator.make import make_phone
from agent.simulator.state import PhoneState, User
from app.demo.people import DEMO_PASSWORD
from app.demo.seed import SINCE, seed
from app.demo.users import seed_users
from app.hardware import order_disposal
from app.kernel.clock import SystemClock
from app.kernel.db import begin_write, db
from app.kernel.tenancy import SYSTEM, Principal
from app.registry import RESOURCES, create
from app.runtime import Runtime
from app.transfer import deciding
from app.transfer.opening import Wanted, open_transfer
from app.transfer.tools import Tools as TransferTools
from app.wipe import timing
from app.wipe.identity import android_id_of
from tests.e2e.story import (
    House,
    Person,
    _quick_hashes,
    chromium,
    no_phones,
    people,
    reading_agent,
    served,
)

__all__ = ["_quick_hashes", "chromium", "people"]
TAG = "GJ-9001"


@dataclass
class Bench(House):
    """A desk with one phone on it, at the gateway; it waits to be destroyed, and nothing is to be moved off it."""

    handset: uuid.UUID
    state: PhoneState

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.app.app_context():
            yield begin_write(db.session())
            db.session().commit()
            db.session.remove()

    def wait_until_read(self) -> None:
        """A phone that no gateway has met is not erased by one, and its page offers no request."""
        until = time.monotonic() + 30
        while not self._android_id():
            assert time.monotonic() < until, "the gateway does not read the phone"
            time.sleep(0.2)

    def _android_id(self) -> str | None:
        with self.app.app_context():
            return android_id_of(db.session(), self.handset)


def _now() -> dt.datetime:
    return SystemClock().now()


def _phone() -> PhoneState:
    """Android 13 or so, accounts taken off as the checklist asks."""
    state = next(p for i in range(30) if (p := make_phone(i, seed=12)).identity.brand.lower() == "xiaomi")
    state.lock_pin, state.accounts, state.users, state.unreadable_users = None, [], [User(0, "机主")], set()
    state.reset_after_s = state.boot_duration_s = 0.5
    return state


def _waits(session: Session, here: Runtime, centre: uuid.UUID, state: PhoneState) -> uuid.UUID:
    """To be destroyed, nothing to be moved: what others have done before this story. The demo has no cooling-off."""
    told = state.identity
    values = {
        "centre_id": centre, "asset_tag": TAG, "serial": told.serial, "brand": told.brand, "model": told.model,
        "imei1": told.imeis[0], "imei2": told.imeis[1],
    }  # fmt: skip
    phone = create(session, SYSTEM, RESOURCES["handsets"], values, _now())
    tools, now = TransferTools(here.policies, here.blobs, here.keys), _now()
    it, lead = (
        Principal(f"u-{r}", frozenset({r}), frozenset({centre}), rights=frozenset({(r, centre)}))
        for r in ("it", "lead")
    )
    order_disposal(
        session, lead, phone.id, cause="contract_end", reason="合约到期", source="story:1", now=now
    )
    moved = open_transfer(session, it, tools, Wanted(old_id=phone.id, new_id=None, reason="空机"), now)
    deciding.ask_waiver(session, it, moved.id, reason="空机", now=now)
    deciding.decide_waiver(session, lead, moved.id, grant=True, now=now)
    return uuid.UUID(str(phone.id))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Bench]:
    state = _phone()

    def fill(session: Session, here: Runtime, now: dt.datetime) -> tuple[uuid.UUID, uuid.UUID]:
        seeded = seed(session, no_phones("KIT", 4), here.policies, now)
        seed_users(session, seeded.code, now - SINCE)
        return seeded.centre, _waits(session, here, seeded.centre, state)

    with (
        served(tmp_path, fill) as site,
        Fleet([state]) as fleet,
        reading_agent(site.url, site.code, fleet.ports[0], tmp_path),
    ):
        yield Bench(site.app, site.url, site.made, state)


def _type_it(who: Person, bench: Bench, act: str) -> None:
    """Tag and last six, as they stand on the phone."""
    form = who.page.locator(f"form[action$='/{act}']")
    form.get_by_label("机身标签上的资产编号").fill(TAG)
    form.get_by_label("IMEI 的最后六位").fill(bench.state.identity.imeis[0][-6:])


def _asks(it: Person, bench: Bench) -> str:
    """From the row of phones to the request; the wipe's path."""
    page = it.page
    bench.wait_until_read()
    it.go(f"/handsets/{bench.handset}/identify")
    it.press("让它亮起来")
    expect(page.get_by_text("已亮起", exact=True)).to_be_visible()
    it.fits()
    it.go("/hardware/disposals")
    page.get_by_role("link", name="清除数据").click()
    it.press("建立草稿")
    for legend in page.locator("fieldset.check").all():
        legend.get_by_role("radio", name="已确认").check()
    page.locator("fieldset.check").filter(has_text="eSIM").get_by_role("radio", name="不适用").check()
    it.press("保存清单")
    _type_it(it, bench, "request")
    it.fits()
    it.press("提交，等另一人批准")
    expect(page.get_by_text("已提交，等另一人批准。")).to_be_visible()
    return page.url.removeprefix(bench.url)


def _approves(lead: Person, bench: Bench, path: str) -> None:
    lead.go(path)
    lead.page.get_by_text("批准", exact=True).click()
    # The code of the sign-in is used up; the next one is good a little early.
    code = pyotp.TOTP(lead.secret).at(time.time() + 30)
    lead.page.get_by_label("您的验证器现在显示的 6 位数字").fill(code)
    lead.page.get_by_role("button", name=re.compile("批准清除")).click()
    expect(lead.page.get_by_text("已批准。")).to_be_visible()
    with bench.writing() as session:
        assert timing.arm(session, _now()) == 1


def test_it_is_found_approved_erased_looked_at_and_certified(
    house: Bench, people: Callable[[str], Person]
) -> None:
    it, lead = people("it"), people("zhuguan")
    path = _asks(it, house)
    _approves(lead, house, path)
    before = house.state.identity.android_id

    it.go(path)
    it.page.get_by_text("由网关执行清除", exact=True).click()
    _type_it(it, house, "release")
    # This phone tells no gateway its IMEI: he reads it off the screen.
    it.page.locator("form[action$='/release'] [name=imei_typed]").fill(house.state.identity.imeis[0])
    it.page.locator("form[action$='/release'] [name=in_hand]").check()
    it.fits()
    it.page.get_by_role("button", name=re.compile("执行清除")).click()
    expect(it.page.get_by_text("这还不证明数据已经清除")).to_be_visible()
    assert house.state.identity.android_id != before or house.state.resets == 0

    # Somebody else looks, and says so.
    lead.go(path)
    expect(lead.page.get_by_role("button", name=re.compile("让网关"))).to_be_visible()
    lead.page.get_by_role("button", name=re.compile("让网关")).click()
    for _ in range(30):
        lead.page.wait_for_timeout(1000)
        lead.page.reload()
        if lead.page.locator("#read-imei").count():
            break
    _reads_off(lead, house)
    lead.fits()
    if lead.page.locator("#verify-words[required]").count():
        lead.page.locator("#verify-words").fill("SIM 和存储卡都在我手里")
    lead.press("看过检查结果，确认已清除")
    assert house.state.identity.android_id != before
    assert house.state.resets == 1
    _certify(it, lead, path)
    assert house.complaints == []


def _reads_off(lead: Person, bench: Bench) -> None:
    """The phone tells nobody its IMEI: the second person reads it off the screen."""
    form = lead.page.locator("form[action$='/inspections/imei']")
    form.locator("[name=typed_imei]").fill(bench.state.identity.imeis[0])
    lead.press("记下 IMEI")


def _certify(it: Person, lead: Person, path: str) -> None:
    lead.go(f"{path}/certificate")
    lead.press("拟定证明全文")
    about = {"place": "机房", "contact": "0571-1", "password": DEMO_PASSWORD}
    lead.page.get_by_role("link", name="我来签").click()
    lead.sign(title="主管", **about)
    it.go(f"{path}/certificate")
    it.page.get_by_role("link", name="我来签").click()
    it.sign(title="信息岗", **about)
    expect(it.page.get_by_text("证明已出具。")).to_be_visible()
    it.fits()
    link = it.page.get_by_role("link", name="打开 PDF").get_attribute("href")
    printed = it.page.request.get(it.house.url + str(link))
    assert (printed.status, printed.body()[:5]) == (200, b"%PDF-")
