"""One timeline: what every room tells, in order, narrowed, in pages; and only for who may know it."""

from __future__ import annotations

import datetime as dt
import io
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import AuditEvent, AuditRow, record
from app.commands.model import Command
from app.compliance.model import ComplianceChange
from app.duty.model import Delegation, Excuse
from app.escrow.model import Secret
from app.history.rules import Wanted, after, key_of, narrowed, ordered
from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.kernel.money import Fen
from app.kernel.tenancy import SYSTEM
from app.kernel.timeline import LifeEvent
from app.ledger import Entry, book
from app.papers import Document, Text, issue_paper
from app.people.model import RoleGrant, User
from app.registry import Handset, KitAssignment, Number, PostHolding, WeChatAccount
from tests.app.conftest import Caller, Org

HELD = uuid.UUID(int=7)
AsUser = Callable[..., Caller]
HTML = {"Accept": "text/html"}
START = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


def at(day: int) -> dt.datetime:
    return START + dt.timedelta(days=day)


# --- the list by itself -------------------------------------------------------------------------------------------


def event(day: int, title: str = "x", **more: Any) -> LifeEvent:
    return LifeEvent(at(day), title, **more)


def test_the_newest_stands_first_and_nothing_twice() -> None:
    events = [event(1), event(3), event(2, "b"), event(2, "a"), event(3)]
    found = ordered(events)
    assert [e.at for e in found] == [at(3), at(2), at(2), at(1)]
    assert found == ordered(reversed(events))


def test_pages_put_together_are_the_whole() -> None:
    events = ordered([event(i % 5, str(i), room=f"r{i % 3}") for i in range(23)])
    seen: list[LifeEvent] = []
    key = None
    while True:
        page, key = after(events, key, 4)
        seen += page
        if key is None:
            break
    assert seen == events
    assert after(events, key_of(events[-1]), 4) == ([], None)
    assert after([], None, 4) == ([], None)


@pytest.mark.parametrize(
    ("wanted", "days"),
    [
        (Wanted(), [1, 5, 9]),
        (Wanted(room="duty"), [5]),
        (Wanted(words="REPAIR"), [5]),
        (Wanted(words="nothing"), []),
        (Wanted(start=at(5)), [5, 9]),
        (Wanted(start=at(6)), [5, 9]),
        (Wanted(start=at(7)), [9]),
        (Wanted(end=at(5)), [1]),
        (Wanted(start=at(2), end=at(3)), []),
    ],
)
def test_it_is_narrowed(wanted: Wanted, days: list[int]) -> None:
    events = [event(1), event(5, detail="a repair", room="duty", until=at(7)), event(9)]
    assert [(e.at - START).days for e in narrowed(events, wanted)] == days


# --- collected from the rooms -------------------------------------------------------------------------------------


class Life:
    """A phone, a number and an account of one post that Zhang held and Li holds now; and what befell them."""

    def __init__(self, app: Flask, session: Session, org: Org) -> None:
        self.session, self.org = session, org
        stamp = {"created_at": at(0), "updated_at": at(0)}

        def add(row: Any) -> uuid.UUID:
            session.add(row)
            session.flush()
            found: uuid.UUID = row.id
            return found

        centre: dict[str, Any] = {"centre_id": org.centre, **stamp}
        self.handset = add(Handset(asset_tag="A-0001", serial="S1", brand="vivo", model="Y", **centre))
        self.number = add(Number(e164="+8613800000001", **centre))
        self.wechat = add(WeChatAccount(district_id=org.district, nickname="锦绣小新", **centre))
        for part in (
            {"handset_id": self.handset},
            {"number_id": self.number},
            {"wechat_account_id": self.wechat},
        ):
            add(KitAssignment(post_id=org.post, valid_from=at(1), **part, **centre))
        void = {"valid_to": at(3), "voided_at": at(4)}
        add(KitAssignment(post_id=org.post, handset_id=self.handset, valid_from=at(2), **void, **centre))
        add(PostHolding(post_id=org.post, employee_id=org.zhang, valid_from=at(1), valid_to=at(20), **centre))
        add(PostHolding(post_id=org.post, employee_id=org.li, valid_from=at(20), **centre))
        self._judged(app)
        session.commit()

    def _judged(self, app: Flask) -> None:
        session, org = self.session, self.org
        ids = {"centre_id": org.centre, "handset_id": self.handset}
        posts = {
            "from_post_id": org.post,
            "to_post_id": org.post,
            "giver_id": org.zhang,
            "delegate_id": org.li,
        }
        dated = {
            "starts_at": at(5),
            "ends_at": at(6),
            "force_from": at(5),
            "force_to": at(6),
            "created_at": at(4),
        }
        filed = {"starts_at": at(7), "ends_at": at(8), "filed_at": at(7), "filed_by": "u"}
        sums = {"policy_version": 1, "policy_sha256": "0" * 64, "inputs_sha256": "0" * 64}
        times = {"created_at": at(10), "due_at": at(10), "expires_at": at(11), "finished_at": at(10)}
        queued = {"args": {}, "dedup_key": "k", "created_by": "system", "max_attempts": 1}
        session.add_all(
            [
                Delegation(state="ended", note="", created_by="u", **dated, **posts, **ids),
                Excuse(reason="repair", state="approved", note="换屏", **filed, **ids),
                ComplianceChange(at=at(9), status="fail", findings="[]", **sums, **ids),
                Command(
                    kind="read_phone", purpose="agent-reads", state="succeeded", **queued, **times, **ids
                ),
            ]
        )
        self._noted()
        entry = Entry(org.centre, org.zhang, "2026-05", "grant", Fen(5000), "U05", "test:1", "五月")
        book(session, SYSTEM, entry, at(14))
        form = Document("领取登记单", "", (Text("", ""),))
        issue_paper(
            session, "u", kind="issue", centre_id=org.centre, subject="x:1", document=form,
            parties=(org.zhang,), now=at(15), keys=app.extensions["butler"].keys,
        )  # fmt: skip

    def _noted(self) -> None:
        """A secret, a user, and what the trail says of them and of the phone."""
        session, org, phone = self.session, self.org, f"handset:{self.handset}"
        secret = Secret(
            centre_id=org.centre, handset_id=self.handset, kind="screen_lock", versions=1, in_force=1
        )
        user = User(login="zhangsan", name="张三", employee_id=org.zhang, created_at=at(0), updated_at=at(0))
        session.add_all([secret, user])
        session.flush()
        session.add(
            RoleGrant(user_id=user.id, role="butler", centre_id=org.centre, valid_from=at(1), valid_to=at(20))
        )
        for action, name, outcome in (
            ("escrow.file", f"secret:{secret.id}", "ok"),
            ("escrow.check", f"secret:{secret.id}", "mismatch"),
            ("registry.create", phone, "ok"),
        ):
            record(session, AuditEvent(at(12), "system", action, name, org.centre, outcome=outcome))
        changed = {"way_back": ["usb_dock", "tap"]}
        by = str(user.id)
        record(session, AuditEvent(at(13), by, "registry.change", phone, org.centre, details=changed))
        hold = AuditEvent(at(13), by, "registry.hold", phone, org.centre, reason=f"handover:{HELD}")
        record(session, hold)


@pytest.fixture
def life(app: Flask, org: Org, clock: FixedClock) -> Life:
    clock.set(at(100))
    with app.app_context(), Session(db.engine) as session:
        return Life(app, begin_write(session), org)


def told(client: Caller, kind: str, subject: uuid.UUID, query: str = "") -> list[tuple[str, str]]:
    answer = client.get(f"/api/v1/history/{kind}/{subject}{query}")
    assert answer.status_code == 200, answer.text
    return [(item["title"], item["detail"]) for item in answer.json["items"]]


def test_what_held_it_is_a_link_and_no_key(life: Life, as_user: AsUser) -> None:
    items = as_user("auditor").get(f"/api/v1/history/handset/{life.handset}").json["items"]
    assert [item["link"] for item in items if item["title"].startswith("锁定")] == [f"/handovers/{HELD}"]


def test_a_phone(life: Life, org: Org, as_user: AsUser) -> None:
    events = told(as_user("auditor"), "handset", life.handset)
    for expected in [
        ("修改登记", "：usb_dock → tap；张三"),
        ("锁定：办理期间不能改配", "张三"),
        ("登记", "系统"),
        ("锁屏密码：核对密码", "系统，不一致"),
        ("锁屏密码：密码备案", "系统"),
        ("命令：立即读取", "已完成；系统"),
        ("合规检查：不合规", ""),
        ("维修：已批准", "换屏"),
        ("委托：已结束", "A-0001：张三（E001） → 李四（E002）"),
        ("配给岗位", "岗位 一号片区管家；登记有误，已作废，不算数"),
        ("配给岗位", "岗位 一号片区管家"),
        ("由其保管", "李四（E002），岗位 一号片区管家"),
        ("由其保管", "张三（E001），岗位 一号片区管家"),
    ]:
        assert any(title == expected[0] and expected[1] in detail for title, detail in events), expected


def test_a_number_an_account_and_a_post(life: Life, org: Org, as_user: AsUser) -> None:
    lead = as_user("lead", org.centre)
    for kind, subject in (("number", life.number), ("wechat", life.wechat)):
        assert ("配给岗位", "岗位 一号片区管家") in told(lead, kind, subject)
    events = told(lead, "post", org.post)
    for expected in [
        ("配给岗位", "手机 A-0001"),
        ("配给岗位", "号码 +8613800000001"),
        ("配给岗位", "微信号 锦绣小新"),
        ("开始任职", "张三（E001）"),
        ("任职结束", "张三（E001）"),
        ("开始任职", "李四（E002）"),
        ("委托：已结束", "A-0001：张三（E001） → 李四（E002）"),
    ]:
        assert expected in events


def test_a_person(life: Life, org: Org, as_user: AsUser, app: Flask) -> None:
    finance = as_user("finance", org.centre)
    events = told(finance, "employee", org.zhang)
    for expected in [
        ("开始任职", "岗位 一号片区管家"),
        ("任职结束", "岗位 一号片区管家"),
        ("话费补贴：¥50.00", "2026-05 月；U05；五月"),
        ("授予角色：管家", "锦绣花园"),
        ("角色结束：管家", "锦绣花园"),
        ("单据：领取登记单", "LQ-C1-2026-0001"),
    ]:
        assert expected in events
    with app.app_context(), Session(db.engine) as session:
        noted = session.scalars(select(AuditRow).where(AuditRow.action == "history.read")).one()
        assert (noted.actor, noted.object) == (str(finance.user_id), f"employee:{org.zhang}")


def test_who_may_read_what(life: Life, org: Org, as_user: AsUser) -> None:
    foreign, it = as_user("lead", org.other_centre), as_user("it", org.centre)
    both = as_user("lead", org.other_centre, rights=[("it", org.centre)])
    butler = as_user("butler", org.centre, employee=org.li)
    for kind, subject in (("handset", life.handset), ("post", org.post), ("employee", org.zhang)):
        path = f"/history/{kind}/{subject}"
        assert foreign.get(path).status_code == 404
        assert butler.get(path).status_code == 403
        for way in (path, f"/api/v1{path}", f"{path}.xlsx"):
            assert it.get(way).status_code == (403 if kind == "employee" else 200), way
            # A lead elsewhere is no lead here.
            assert both.get(way).status_code in ((403, 404) if kind == "employee" else (200,)), way
    assert "锁屏密码" not in str(told(as_user("finance", org.centre), "handset", life.handset))
    assert it.get(f"/history/nonsense/{life.handset}").status_code == 404
    assert it.get(f"/history/handset/{uuid.uuid4()}").status_code == 404


def test_the_page_narrows_turns_and_exports(life: Life, org: Org, as_user: AsUser) -> None:
    lead = as_user("lead", org.centre)
    base = f"/history/handset/{life.handset}"
    page = lead.get(base, headers=HTML).text
    assert "A-0001" in page
    assert f"{base}.xlsx" in page
    assert "换屏" in page
    assert "换屏" not in lead.get(f"{base}?room=command", headers=HTML).text
    assert "换屏" in lead.get(f"{base}?q=换屏&from=2026-05-08&to=2026-05-08&room=rubbish", headers=HTML).text
    assert "没有符合条件的事件" in lead.get(f"{base}?q=nothing", headers=HTML).text
    every = told(lead, "handset", life.handset)
    first = lead.get(f"/api/v1{base}?limit=3").json
    second = lead.get(f"/api/v1{base}?limit=200&cursor={first['next_cursor']}").json
    assert [(i["title"], i["detail"]) for i in first["items"] + second["items"]] == every
    assert first["total"] == len(every)
    assert second["next_cursor"] is None
    assert lead.get(f"/api/v1{base}?cursor=rubbish").status_code == 422
    sheet = zipfile.ZipFile(io.BytesIO(lead.get(f"{base}.xlsx").data))
    assert "换屏" in sheet.read("xl/worksheets/sheet1.xml").decode()


def test_it_is_linked_from_where_one_looks(life: Life, org: Org, as_user: AsUser) -> None:
    lead = as_user("lead", org.centre)
    assert f"/history/handset/{life.handset}" in lead.get(f"/phones/{life.handset}", headers=HTML).text
    for name, kind, subject in (
        ("handsets", "handset", life.handset),
        ("numbers", "number", life.number),
        ("wechat-accounts", "wechat", life.wechat),
        ("posts", "post", org.post),
        ("employees", "employee", org.zhang),
    ):
        assert f"/history/{kind}/{subject}" in lead.get(f"/registry/{name}", headers=HTML).text, name
