"""The pages of a wipe as people press through them: each with his own browser, password and authenticator."""

from __future__ import annotations

import io
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import update

from app.guides import family_of
from app.wipe.model import Wipe
from app.wipe.rules import CHECKLIST
from app.wipe.states import KNOWN, TO_DO, State
from tests.app.session.conftest import Person, person
from tests.app.wipe.wipe_world import IMEI, SIX, TAG, World, dispose
from tests.support.browser import words

__all__ = ["person"]
FILLED: dict[str, Any] = {
    "strategy": "test_harness", "reason": "合约到期", "destination": "recycle",
    **{f"answer-{item}": "yes" for item in CHECKLIST}, "answer-esim": "not_applicable", "words-esim": "单卡机",
}  # fmt: skip
HERE: dict[str, Any] = {"tag": TAG, "imei6": SIX, "in_hand": "yes"}


@pytest.fixture
def database_url(_sqlite_template: Path, _sqlite_file: Path) -> str:
    """One kind is enough: what is stored is proved on both beneath the pages."""
    for old in _sqlite_file.parent.glob("butler.db*"):
        old.unlink()
    shutil.copy(_sqlite_template, _sqlite_file)
    return f"sqlite:///{_sqlite_file}"


@pytest.fixture
def desk(world: World, person: Callable[..., Person]) -> Callable[..., Person]:
    """`desk("lead")`: signed in with password and authenticator."""

    def make(role: str, login: str = "") -> Person:
        who = person(role, login=login or role)
        who.sign_in()
        who.enrol()
        who.clock.move(31)
        return who

    return make


@pytest.fixture
def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 3), "#3a3").save(out, "JPEG")
    return out.getvalue()


def path_of(world: World) -> str:
    return f"/wipes/{world.id}"


def told(who: Person, path: str, status: int = 200) -> str:
    answer = who.get(path)
    assert answer.status_code == status, answer.text
    return words(answer.text)


def press(who: Person, world: World, act: str, /, status: int = 303, **fields: Any) -> str:
    answer = who.post(f"{path_of(world)}/{act}", **fields)
    assert answer.status_code == status, answer.text
    return words(answer.text)


def test_from_the_list_to_androids_word(world: World, desk: Callable[..., Person]) -> None:
    it, lead = desk("it"), desk("lead")
    assert f"/wipes/new?handset={world.phones['S1']}" in it.get("/hardware/disposals").text
    assert "手机不会有任何变化" in told(it, f"/wipes/new?handset={world.phones['S1']}")
    made = it.post("/wipes/new", handset=str(world.phones["S1"]))
    assert made.status_code == 303
    world.id = uuid.UUID(made.headers["Location"].rpartition("/")[2])
    draft = told(it, path_of(world))
    assert "清单还没有满足" in draft
    assert SIX not in draft, "he reads it off the phone, and not off the page"
    press(it, world, "fill", version=str(world.row().version), **FILLED)
    assert "不符" in press(it, world, "request", 422, tag=TAG, imei6="000000")
    press(it, world, "request", tag=" gj-0000 ", imei6=SIX)
    assert "申请人不能批准自己的申请" in told(it, path_of(world))
    seen = told(lead, path_of(world))
    assert SIX in seen, "who approves is shown which phone it is"
    assert "单卡机" in seen
    press(lead, world, "approve", 422, code="000000")
    lead.clock.move(31)
    press(lead, world, "approve", code=lead.code())
    assert "冷静期到" in told(it, path_of(world))
    world.arm()
    world.read_phone()
    it = desk("it", "it2")  # the first one's session is over by then
    assert "请确认手里拿的就是这一台" in press(it, world, "release", 422, tag=TAG, imei6=SIX)
    press(it, world, "release", **HERE)
    waiting = it.get(path_of(world)).text
    assert "every 3s" in waiting, "the page follows by itself"
    assert "收回指令" in waiting
    world.lease()
    world.tell("succeeded", outcome="accepted")
    done = told(it, path_of(world))
    assert "这还不证明数据已经清除" in done
    assert "批准的人不执行" not in done
    assert "手机已接受指令" in told(it, "/wipes")


@pytest.mark.parametrize("state", list(State))
def test_each_state_says_what_is_known_and_what_to_do(
    world: World, desk: Callable[..., Person], state: State
) -> None:
    world.to("armed")
    with world.writing() as session:
        session.execute(update(Wipe).where(Wipe.id == world.id).values(state=state))
    who = desk("it")
    page = told(who, path_of(world))
    assert KNOWN[state] in page
    assert TO_DO[state] in page
    assert 'aria-current="step"' in who.get(path_of(world)).text or state == "certified"
    line = told(who, "/wipes?state=all")
    assert KNOWN[state] in line
    ended = state in ("certified", "cancelled", "expired")
    assert (KNOWN[state] in told(who, "/wipes")) is not ended


def test_the_board_is_searched_filtered_and_empty(world: World, desk: Callable[..., Person]) -> None:
    who = desk("it")
    assert "没有正在办的数据销毁" in told(who, "/wipes")
    world.to("requested")
    for query, found in (
        ("", True), ("?q=gj-0", True), ("?q=S1", True), ("?q=%25", False), ("?state=requested", True),
        ("?state=silent", False), ("?state=ended", False), ("?sort=tag", True), ("?state=nonsense", True),
        (f"?centre={world.centre}", True), (f"?centre={world.phones.other_centre}", False),
    ):  # fmt: skip
        assert (path_of(world) in who.get(f"/wipes{query}").text) is found, query
    assert "没有符合条件的记录" in told(who, "/wipes?q=nobody")


def test_what_stands_in_the_way_is_listed_with_its_way_out_and_nothing_can_be_pressed(
    world: World, desk: Callable[..., Person]
) -> None:
    dispose(world, "S2")
    world.open("S2")
    page = desk("it").get(path_of(world)).text
    for link in (f"/transfers/new?old={world.phones['S2']}", f"/phones/{world.phones['S2']}"):
        assert f'href="{link}"' in page
    assert f'action="{path_of(world)}/fill"' in page
    assert f'action="{path_of(world)}/request"' not in page
    assert "项挡着，处理完这里才能提交" in words(page)


def test_by_hand_each_step_is_ticked_off(world: World, desk: Callable[..., Person], picture: bytes) -> None:
    world.to("armed")
    it = desk("it")
    typed: dict[str, Any] = {**HERE, "imei_typed": IMEI}
    assert "照片" in press(it, world, "guide", 422, **typed)
    photo = (io.BytesIO(picture), "a.jpg")
    press(it, world, "guide", photo=photo, **typed)
    assert it.get(f"{path_of(world)}/proof").data[:2] == b"\xff\xd8"
    family = family_of("Xiaomi")
    page = told(it, path_of(world))
    assert all(step.text in page for step in (*family.accounts, *family.reset))
    ticks: dict[str, Any] = {
        f"tick-{place}": "yes" for place in range(len(family.accounts) + len(family.reset))
    }
    short = dict(list(ticks.items())[:-1])
    assert "勾选" in press(it, world, "report", 422, done="yes", **short)
    assert world.state == "delivered"
    press(it, world, "report", done="yes", words="重启了", **ticks)
    assert world.state == "acknowledged"
    assert f"{len(ticks)} 步逐项完成。重启了" in told(it, path_of(world))


def test_nothing_was_begun_after_all(world: World, desk: Callable[..., Person]) -> None:
    world.to("armed")
    it = desk("it")
    world.read_phone()
    press(it, world, "guide", **HERE)
    assert "为什么没有做" in told(it, path_of(world))
    press(it, world, "report", 422, done="no", words=" ")
    press(it, world, "report", done="no", words="电量不足")
    assert world.state == "armed"
    assert "电量不足" in told(it, path_of(world))


def test_taken_back_before_anything_left(world: World, desk: Callable[..., Person]) -> None:
    world.to("queued")
    it, lead = desk("it"), desk("lead")
    press(it, world, "recall", reason="先等等")
    assert world.state == "armed"
    press(lead, world, "withdraw", reason="弄错了")
    assert "被退回或撤回：弄错了" in told(it, path_of(world))
    assert "写明原因" in press(it, world, "cancel", 422, reason=" ")
    press(it, world, "cancel", reason="不清了")
    assert "原因：不清了" in told(it, path_of(world))
    assert f'href="/wipes/new?handset={world.phones["S1"]}">重新申请清除' in it.get(path_of(world)).text


def test_sent_back_to_who_asked(world: World, desk: Callable[..., Person]) -> None:
    world.to("requested")
    lead = desk("lead")
    press(lead, world, "refuse", reason="清单里 SIM 没取")
    assert world.state == "draft"
    assert "清单里 SIM 没取" in told(lead, path_of(world))


def test_who_sees_what_and_who_may_press(world: World, as_user: Any) -> None:
    world.to("requested")
    path = path_of(world)
    for role, status in (
        ("it", 200), ("operations", 200), ("lead", 200), ("auditor", 200), ("finance", 403), ("butler", 403),
    ):  # fmt: skip
        caller = as_user(role, world.centre)
        assert caller.get(path).status_code == status, role
        assert caller.get("/wipes").status_code == status, role
    foreign = as_user("it", world.phones.other_centre)
    assert foreign.get(path).status_code == 404
    assert foreign.post(f"{path}/cancel", data={"reason": "x"}).status_code == 404
    auditor = as_user("auditor", world.centre)
    assert f'action="{path}/' not in auditor.get(path).text
    for act in ("fill", "request", "approve", "release", "guide", "cancel"):
        assert auditor.post(f"{path}/{act}", data=HERE).status_code == 403, act
    assert world.state == "requested"


def test_a_token_approves_nothing(world: World, as_user: Any) -> None:
    world.to("requested")
    lead = as_user("lead", world.centre)
    assert lead.post(f"{path_of(world)}/approve", data={"code": "123456"}).status_code == 403
    assert world.state == "requested"


def test_a_phone_that_nothing_orders_to_be_destroyed(world: World, desk: Callable[..., Person]) -> None:
    it = desk("it")
    page = told(it, f"/wipes/new?handset={world.phones['S2']}")
    assert "没有决定要销毁这台手机的数据" in page
    assert it.post("/wipes/new", handset=str(world.phones["S2"])).status_code == 409
    assert it.get("/wipes/new").status_code == 404


def test_the_phones_own_page_says_how_it_stands(world: World, desk: Callable[..., Person]) -> None:
    world.to("silent")
    page = told(desk("it"), f"/phones/{world.phones['S1']}")
    assert "数据销毁 结果不明" in page
    assert "免迁移（两人批准）" in page


def test_who_is_told_and_when(world: World, as_user: Any) -> None:
    """The lead when something waits for him, IT when it may be done, who asked when it is decided."""
    people = {role: as_user(role, world.centre) for role in ("it", "lead")}

    def inbox(role: str) -> str:
        return words(people[role].get("/inbox", headers={"Accept": "text/html"}).text)

    world.to("draft")
    world.ask(world.who("it", str(people["it"].user_id)))
    assert f"有数据销毁等您批准：{TAG}" in inbox("lead")
    assert "等您批准" not in inbox("it")
    world.approve()
    assert f"数据销毁已批准：{TAG}" in inbox("it")
    world.arm()
    assert f"数据销毁可以执行：{TAG}" in inbox("it")
