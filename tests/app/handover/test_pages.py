"""The pages of a handover by forms as a browser sends them: every step, who may do what, and what is refused."""

from __future__ import annotations

import io
import json
import re
import uuid
from contextvars import Context
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from app.escrow.model import Secret
from app.handover import store
from tests.app.handover.conftest import World
from tests.app.session.conftest import BASE, PASSWORD, Person

# What the databases do differently is tried where the services are; here it would only cost time.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
STROKES = json.dumps(
    {"width": 300, "height": 120, "strokes": [[[20, 30], [90, 80], [200, 40]], [[120, 20], [130, 110]]]}
)


def photo(colour: str = "red") -> Any:
    out = io.BytesIO()
    Image.new("RGB", (80, 60), colour).save(out, "JPEG")
    out.seek(0)
    return (out, "photo.jpg")


def page(who: Person, path: str, status: int = 200) -> str:
    answer = who.get(path)
    assert answer.status_code == status, (path, answer.status_code, answer.text[:2000])
    return str(answer.text)


def seen_digest(text: str) -> str:
    return re.search(r'name="digest" value="([0-9a-f]{64})"', text)[1]  # type: ignore[index]


def fill_in(world: World, path: str, lead: Person) -> None:
    """Every card by its own form."""
    for row in store.items_of(world.session, uuid.UUID(path.rpartition("/")[2])):
        fields = {"present": "yes", "condition": "good", "words": "", "version": str(row.version)}
        assert lead.post(f"/handovers/items/{row.id}", **fields).status_code == 303
    world.session.rollback()


def begin_issue(world: World, lead: Person) -> str:
    """The path of the only leg of an issue to Zhang."""
    begun = lead.post(
        "/handovers", post=str(world.org.post), kind="issue", reason="joined", receiver=str(world.org.zhang),
        due_at="2026-11-25T10:00", lead=str(world.users["lead"]),
    )  # fmt: skip
    assert begun.status_code == 303, begun.text
    return (
        "/handovers/legs/"
        + re.search(r"/handovers/legs/([0-9a-f-]{36})", page(lead, begun.headers["Location"]))[1]
    )  # type: ignore[index]


def test_a_kit_is_issued_step_by_step(world: World, browser: Any) -> None:
    lead, zhang = browser("lead"), browser("zhang")
    assert "还没有交接" in page(lead, "/handovers")
    assert "一号片区管家" in page(lead, "/handovers/new")
    assert "SIM 卡" in page(lead, f"/handovers/new?post={world.org.post}")
    wrong = lead.post(
        "/handovers", post=str(world.org.post), kind="issue", reason="", due_at="x", note="说明在此"
    )
    assert (wrong.status_code, "说明在此" in wrong.text) == (422, True)
    path = begin_issue(world, lead)
    for step in ("items", "tests", "passwords", "counts", "review", "sign", "done"):
        page(lead, f"{path}/{step}")
        page(zhang, f"{path}/{step}")
    assert lead.get(path).headers["Location"].endswith("/items")
    item = re.search(r'action="/handovers/items/([0-9a-f-]{36})"', page(lead, f"{path}/items"))[1]  # type: ignore[index]
    for _ in range(2):
        assert lead.post(f"/handovers/items/{item}/photos", photos=photo()).status_code == 303
    (sha,) = set(re.findall(rf"{path}/pictures/([0-9a-f]{{64}})", page(lead, f"{path}/items")))
    for who in (lead, zhang):
        assert who.get(f"{path}/pictures/{sha}").headers["Content-Type"] == "image/jpeg"
    blocked = lead.post(f"{path}/freeze")
    assert (blocked.status_code, "还没有清点" in blocked.text) == (409, True)
    counts = {"by": "张三数的", "count-friends": "312"}
    assert lead.post(f"{path}/counts", version="1", **counts).status_code == 303
    assert lead.post(f"{path}/counts", version="1", **counts).status_code == 412
    assert lead.post(f"{path}/tests/screen", result="pass", words="").status_code == 303
    assert zhang.post(f"{path}/exceptions", side="receiver", words="充电器是旧的").status_code == 303
    fill_in(world, path, lead)
    shown = page(lead, f"{path}/review")
    assert all(words in shown for words in ("充电器是旧的", "312", "张三数的"))
    assert lead.post(f"{path}/freeze").headers["Location"] == f"{path}/sign"
    digest = seen_digest(page(lead, f"{path}/sign"))
    assert "去签字" in page(zhang, "/my/handovers")
    word = {"digest": digest, "ink": STROKES, "password": PASSWORD, "how": "own"}
    signed = lead.post(f"{path}/sign", side="giver", **word)
    assert signed.headers["Location"] == f"{path}/sign", signed.text
    assert "已签" in page(zhang, f"{path}/sign")
    done = zhang.post(f"{path}/sign", side="receiver", **word)
    assert done.headers["Location"] == f"{path}/done", done.text
    assert "LQ-C1-2026-0001" in page(zhang, f"{path}/done")
    # Nobody held these passwords before: nothing is on a list to be changed, so nothing says it is (R07).
    assert "要更换" not in page(lead, f"{path}/passwords") + page(lead, f"{path}/done")
    assert "办完的" in page(zhang, "/my/handovers")
    assert "已完成" in page(lead, "/handovers?state=completed")


def test_what_an_issue_lacks_is_told_in_words_not_in_addresses(world: World, browser: Any) -> None:
    secret = world.session.scalars(select(Secret).where(Secret.wechat_account_id.is_not(None))).one()
    secret.in_force = None
    world.session.commit()
    lead = browser("lead")
    refused = lead.post(
        "/handovers", post=str(world.org.post), kind="issue", reason="joined", receiver=str(world.org.zhang),
        due_at="2026-11-25T10:00", lead=str(world.users["lead"]),
    )  # fmt: skip
    assert refused.status_code == 409
    notice = re.search(r'<div class="notice bad" role="alert">.*?</div>', refused.text, re.DOTALL)[0]  # type: ignore[index]
    assert "小新 的微信密码还没有备案" in notice
    assert "/escrow/" not in notice
    assert f'href="/escrow/secrets/{secret.id}"' in refused.text


@pytest.fixture
def taken(world: World, browser: Any) -> tuple[str, Person]:
    """Zhang's kit goes to Li: the first leg's text is up for signing; its path, and the lead at his browser."""
    issued = world.issued("zhang")
    world.clock.move(86_400)
    case = world.start("handover", world.org.li)
    leg = world.leg(case)
    world.fill(leg, 充电器=(False, "", "丢了"))
    world.freeze(leg)
    assert issued.completed_at is not None
    path = f"/handovers/legs/{leg.id}"
    world.session.commit()
    return path, browser("lead")


def signing(who: Person, path: str, side: str, digest: str, how: str = "own", **proof: str) -> Any:
    fields = {"side": side, "how": how, "digest": digest, "ink": STROKES}
    return who.post(f"{path}/sign", **fields, **(proof or {"password": PASSWORD}))


def test_nobody_signs_for_another_and_nobody_signs_another_text(taken: Any, browser: Any) -> None:
    path, lead = taken
    digest = seen_digest(page(lead, f"{path}/sign"))
    zhang, li = browser("zhang"), browser("li")
    page(li, f"{path}/sign", 404)  # the first leg is none of the successor's business
    assert signing(li, path, "receiver", digest).status_code == 404
    wrong = (
        signing(zhang, path, "receiver", digest),
        signing(lead, path, "giver", digest),
        signing(lead, path, "giver", digest, "here", signer_login="li", signer_password=PASSWORD),
        signing(zhang, path, "giver", "0" * 64),
        signing(zhang, path, "giver", digest, password="not-his-own-1"),
        zhang.post(f"{path}/sign", side="giver", how="own", digest=digest, ink="[]", password=PASSWORD),
    )
    assert [one.status_code for one in wrong] == [403, 403, 403, 409, 422, 422]
    assert all("没有签上" in one.text for one in wrong)
    assert "密码不正确" in wrong[4].text
    assert "&#34;strokes&#34;" in wrong[4].text  # what was drawn stays
    assert "已签" not in page(lead, f"{path}/sign")
    answer = signing(lead, path, "giver", digest, "here", signer_login="zhang", signer_password=PASSWORD)
    assert answer.status_code == 303, answer.text
    again = signing(zhang, path, "giver", digest)
    assert (again.status_code, "已经签过" in again.text) == (409, True)


def test_who_does_not_sign_says_why_and_a_new_text_is_needed(taken: Any, browser: Any, world: World) -> None:
    path, lead = taken
    digest = seen_digest(page(lead, f"{path}/sign"))
    assert signing(lead, path, "receiver", digest).status_code == 303
    zhang = browser("zhang")
    assert zhang.post(f"{path}/decline", side="giver", words="").status_code == 422
    assert zhang.post(f"{path}/decline", side="receiver", words="代他拒绝").status_code == 403
    assert zhang.post(f"{path}/decline", side="giver", words="充电器不是我丢的").status_code == 303
    case = re.search(r"/handovers/([0-9a-f-]{36})\"", page(lead, f"{path}/items"))[1]  # type: ignore[index]
    assert "充电器不是我丢的" in page(lead, f"/handovers/{case}")
    assert signing(zhang, path, "giver", digest).status_code == 409
    assert lead.post(f"{path}/freeze").status_code == 303
    assert "已签" not in page(lead, f"{path}/sign")  # the lead's word was for the text before
    assert lead.post(f"{path}/unfreeze", reason="数量写错").status_code == 303
    item = store.items_of(world.session, uuid.UUID(path[-36:]))[0]
    world.session.rollback()
    saved = lead.post(
        f"/handovers/items/{item.id}", present="yes", condition="worn", version=str(item.version)
    )
    assert saved.status_code == 303


def test_for_an_absent_giver_a_witness_signs_on_the_leads_screen(taken: Any, browser: Any) -> None:
    path, lead = taken
    assert "由见证人签" in page(lead, f"{path}/sign")
    form = page(lead, f"{path}/sign?side=giver&how=witness_here")
    assert "见证人的登录名" in form
    digest, desk = seen_digest(form), {"signer_login": "desk", "signer_password": PASSWORD}
    unsaid = signing(lead, path, "giver", digest, "witness_here", instead_reason="", **desk)
    himself = signing(lead, path, "giver", digest, "witness_here", instead_reason="人没来", password=PASSWORD)
    assert [unsaid.status_code, himself.status_code] == [422, 403]
    signed = signing(lead, path, "giver", digest, "witness_here", instead_reason="已离开本市", **desk)
    assert signed.status_code == 303
    assert "由见证人代签：已离开本市" in page(lead, f"{path}/sign")
    assert signing(lead, path, "receiver", digest).headers["Location"] == f"{path}/done"
    shown = page(lead, f"{path}/done")
    assert all(words in shown for words in ("缺失", "张三", "JJ-C1-2026-0001"))
    corrected = lead.post(f"{path}/correct", reason="充电器后来找到了")
    second = corrected.headers["Location"].removesuffix("/items")
    assert "照原单填好了" in page(lead, f"{second}/items")
    assert "充电器后来找到了" in page(lead, f"{path}/done")
    assert "更正 1 清点中" in page(lead, "/handovers")
    assert lead.post(f"{second}/drop", reason="不必了").status_code == 303


def test_two_who_write_at_once_are_told(world: World, browser: Any) -> None:
    lead, desk = browser("lead"), browser("desk")
    path = begin_issue(world, lead)
    item = store.items_of(world.session, uuid.UUID(path[-36:]))[0]
    world.session.rollback()
    form = {"present": "yes", "condition": "good", "version": str(item.version)}
    live = Context().run(
        desk.client.post, f"/handovers/items/{item.id}", base_url=BASE,
        data={"_idempotency_key": "a", "words": "我写的", **form}, headers={"Origin": BASE, "HX-Request": "true"},
    )  # fmt: skip
    assert (live.status_code, 'id="steps"' in live.text, "已保存" in live.text) == (200, True, True)
    late = Context().run(
        lead.client.post, f"/handovers/items/{item.id}", base_url=BASE,
        data={"_idempotency_key": "b", "words": "他写的", **form}, headers={"Origin": BASE, "HX-Request": "true"},
    )  # fmt: skip
    assert (late.status_code, late.headers["HX-Retarget"]) == (412, f"#item-{item.id}")
    assert "您写的是：他写的" in late.text
    assert ">我写的<" in late.text
    plain = lead.post(f"/handovers/items/{item.id}", words="他写的", **form)
    assert (plain.status_code, "刚被别人改过" in plain.text) == (412, True)


def live(who: Person, path: str) -> Any:
    """As htmx posts it."""
    headers = {"Origin": BASE, "HX-Request": "true"}
    fields = {"_idempotency_key": uuid.uuid4().hex}
    return Context().run(who.client.post, path, data=fields, headers=headers, base_url=BASE)


def test_a_dropped_photo_comes_back_and_a_frozen_list_refuses_in_its_card(taken: Any, world: World) -> None:
    path, lead = taken
    assert lead.post(f"{path}/unfreeze", reason="补拍照片").status_code == 303
    item = store.items_of(world.session, uuid.UUID(path[-36:]))[0].id
    world.session.rollback()
    lead.post(f"/handovers/items/{item}/photos", photos=photo("green"))
    drop = re.search(r"/handovers/photos/[0-9a-f-]{36}/drop", page(lead, f"{path}/items"))[0]  # type: ignore[index]
    dropped = live(lead, drop)
    assert "撤销删除" in dropped.text
    restore = drop.replace("/drop", "/restore")
    assert "/pictures/" in live(lead, restore).text
    assert "有划痕" in live(lead, f"/handovers/items/{item}/same").text
    assert lead.post(f"{path}/freeze").status_code == 303
    for late in (drop, f"/handovers/items/{item}/same"):
        answer = live(lead, late)
        assert (answer.status_code, "已定稿" in answer.text, "HX-Retarget" in answer.headers) == (
            409,
            True,
            True,
        )


def test_photos_have_the_rights_of_their_case(world: World, browser: Any) -> None:
    lead, li, foreign = browser("lead"), browser("li"), browser("foreign")
    path = begin_issue(world, lead)
    item = store.items_of(world.session, uuid.UUID(path[-36:]))[0].id
    world.session.rollback()
    for text in (b"no picture", b""):
        refused = lead.post(f"/handovers/items/{item}/photos", photos=(io.BytesIO(text), "x.jpg"))
        assert refused.status_code == 422
    assert lead.post(f"/handovers/items/{item}/photos").status_code == 422
    assert lead.post(f"/handovers/items/{item}/photos", photos=photo("blue")).status_code == 303
    shown = page(lead, f"{path}/items")
    picture = re.search(rf"{path}/pictures/[0-9a-f]{{64}}", shown)[0]  # type: ignore[index]
    for stranger in (li, foreign):
        page(stranger, picture, 404)
    page(lead, f"{path}/pictures/{'0' * 64}", 404)
    drop = re.search(r"/handovers/photos/[0-9a-f-]{36}/drop", shown)[0]  # type: ignore[index]
    assert foreign.post(drop).status_code == 404
    assert li.post(drop).status_code == 403
    assert lead.post(drop).status_code == 303
    assert picture not in page(lead, f"{path}/items")
    assert lead.post(drop.replace("/drop", "/restore")).status_code == 303
    assert picture in page(lead, f"{path}/items")


STEPS = ("items", "tests", "tests/live", "passwords", "counts", "review", "sign", "done")


@pytest.mark.parametrize(
    ("who", "status"), [("desk", 200), ("auditor", 200), ("zhang", 200), ("li", 404), ("foreign", 404)]
)
def test_every_step_is_open_to_staff_of_the_centre_and_to_its_sides(
    world: World, browser: Any, who: str, status: int
) -> None:
    lead = browser("lead")
    path, reader = begin_issue(world, lead), browser(who)
    for step in STEPS:
        page(reader, f"{path}/{step}", status)
    case = store.open_case_of_post(world.session, world.org.post)
    assert case is not None
    page(reader, f"/handovers/{case.id}", status)
    item = store.items_of(world.session, uuid.UUID(path[-36:]))[0]
    world.session.rollback()
    may_write = who == "desk"
    form = {
        "present": "yes",
        "condition": "good",
        "version": "1",
        "reason": "x",
        "words": "x",
        "result": "pass",
    }
    writes = ("counts", "same", "tests/screen", "tests/read", "items", "freeze", "unfreeze", "correct")
    answers = [reader.post(f"{path}/{act}", **form).status_code for act in writes]
    answers += [reader.post(f"/handovers/items/{item.id}", **form).status_code]
    answers += [reader.post(f"/handovers/{case.id}/cancel", reason="").status_code]
    refused = {403} if who in ("auditor", "zhang", "li") else {404}
    if may_write:
        assert not {403, 404} & set(answers)
    else:
        assert set(answers) == refused


def test_passwords_are_checked_and_not_shown(world: World, browser: Any) -> None:
    lead = browser("lead")
    path = begin_issue(world, lead)
    shown = page(lead, f"{path}/passwords")
    check = re.search(rf"{path}/passwords/[0-9a-f-]{{36}}/check", shown)[0]  # type: ignore[index]
    assert "没有核对过" in shown
    assert lead.post(check, typed="000000").headers["Location"] == f"{path}/passwords"
    assert "不一致" in page(lead, f"{path}/passwords")
    lead.post(check, typed="739154")
    shown = page(lead, f"{path}/passwords")
    assert "739154" not in shown
    assert "一致。" in shown
    lead.post(check, typed="739154")
    lead.post(check, typed="739154")
    assert "已用完" in page(lead, f"{path}/passwords")
    lead.post(check.replace("/check", "/on-phone"))
    shown = page(lead, f"{path}/passwords")
    assert "在手机上核对：" in shown
    assert 'hx-trigger="every 5s"' in shown, "the answer comes by itself"
    assert "由网关在手机上核对</button>" not in shown
    foreign = re.sub(r"passwords/[0-9a-f-]{36}", f"passwords/{world.org.post}", check)
    assert lead.post(foreign, typed="1").status_code == 404


def test_a_case_is_led_named_put_off_concluded(world: World, browser: Any) -> None:
    lead = browser("lead")
    path = begin_issue(world, lead)
    case = store.open_case_of_post(world.session, world.org.post)
    assert case is not None
    home = f"/handovers/{case.id}"
    world.session.rollback()
    assert lead.get(f"/handovers/new?post={world.org.post}").headers["Location"] == home
    assert "正在交接" in page(lead, "/handovers/new?q=一号")
    assert "没有找到岗位" in page(lead, "/handovers/new?q=没有的岗位")
    lead.post(f"{home}/receiver", receiver=str(world.org.li))
    assert "李四" in page(lead, home)
    lead.post(f"{home}/receiver", receiver="")
    assert "请选择接收人" in page(lead, home)
    lead.post(f"{home}/due", due_at="2026-12-01T09:00")
    assert "2026-12-01 09:00" in page(lead, home)
    lead.post(f"{home}/due", due_at="2020-12-01T09:00")
    assert "期限不能早于现在" in page(lead, home)
    lead.post(f"{home}/lead", lead=str(world.users["desk"]))
    assert "用户desk" in page(lead, f"{path}/items")
    lead.post(f"{home}/conclude", reason="没有人")
    lead.post(f"{home}/cancel", reason="重复了")
    assert "已取消" in page(lead, home)
    for query in ("?state=cancelled", "?kind=issue", "?q=李四", f"?centre={world.org.centre}"):
        assert "一号片区管家" in page(lead, f"/handovers{query}")
    assert "没有符合条件的交接" in page(lead, "/handovers?state=completed")


def test_who_leaves_with_an_open_handover_is_on_the_leads_list(taken: Any, browser: Any) -> None:
    _, lead = taken
    assert "1 人离开了还没有交接完" in page(lead, "/handovers")
    assert "没有对应的员工" in page(browser("auditor"), "/my/handovers")
