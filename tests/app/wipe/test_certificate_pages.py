"""Inspecting and certifying as people press through it, and what others are shown of it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

from app.audit import verify_audit
from tests.app.session.conftest import PASSWORD, Person
from tests.app.wipe.certificate_world import STROKES, Story, picture
from tests.app.wipe.test_inspecting import story
from tests.app.wipe.test_pages import database_url, desk, person
from tests.app.wipe.wipe_world import IMEI
from tests.support.browser import words

__all__ = ["database_url", "desk", "person", "story"]
SIGNED: dict[str, Any] = {
    "title": "信息主管", "place": "锦绣花园办公室", "contact": "021-5555", "ink": STROKES, "password": PASSWORD,
}  # fmt: skip


def page(who: Person, path: str, status: int = 200) -> str:
    answer = who.get(path)
    assert answer.status_code == status, answer.text
    return str(answer.text)


def digest_on(text: str) -> str:
    return text.partition('name="digest" value="')[2].partition('"')[0]


def test_from_the_look_by_hand_to_the_revocation(story: Story, desk: Callable[..., Person]) -> None:
    world = story.world
    world.to("armed")
    it, lead = desk("it"), desk("lead", "lead2")
    world.read_phone()
    world.release(world.who("it", str(it.user_id)))
    world.lease()
    world.tell("failed", outcome="unknown", reason="dropped")
    home = f"/wipes/{world.id}"
    assert "当面检查并拍照" in page(lead, home)
    assert "当面检查并拍照" not in page(it, home)
    assert IMEI[-6:] not in page(lead, home), "who reads it off the phone finds no answer here"
    assert IMEI[-6:] in page(it, home)

    look = {
        "seen_welcome": "yes", "seen_no_lock": "yes", "seen_no_data": "yes", "seen_storage": "unknown",
        "typed_imei": "1",
    }  # fmt: skip
    refused = lead.post(f"{home}/inspections", **look, **photos())
    assert refused.status_code == 422
    assert "15 位数字，最后一位要对得上" in refused.text
    assert lead.post(f"{home}/inspections", **{**look, "typed_imei": IMEI}, **photos()).status_code == 303
    shown = page(lead, home)
    assert "已清除，有保留事项" in words(shown)
    assert "看检查结果，确认已清除" in words(shown)
    assert "现在要做的是检查" not in words(shown)
    name = shown.partition(f"{home}/pictures/")[2].partition('"')[0]
    assert lead.get(f"{home}/pictures/{name}").content_type == "image/jpeg"
    assert lead.get(f"{home}/pictures/{'0' * 64}").status_code == 404

    assert it.post(f"{home}/inspections/verify", grade="warnings", words="可以").status_code == 403
    assert lead.post(f"{home}/inspections/verify", grade="verified", words="可以").status_code == 409
    assert lead.post(f"{home}/inspections/verify", grade="warnings", words="连不上网关").status_code == 303
    sheet = f"{home}/certificate"
    assert it.post(sheet).status_code == 303
    text = page(it, f"{sheet}?side=performer")
    assert "不在本证明范围" in text
    given = {**SIGNED, "side": "performer", "digest": digest_on(text)}
    wrong = it.post(f"{sheet}/sign", **{**given, "password": "nothing-of-the-kind"})
    assert wrong.status_code == 422
    assert "密码不正确" in wrong.text
    assert PASSWORD not in wrong.text
    assert it.post(f"{sheet}/sign", **given).status_code == 303
    assert lead.post(f"{sheet}/sign", **{**given, "side": "verifier"}).status_code == 303
    done = page(lead, sheet)
    assert "已出具" in done
    assert world.state == "certified"
    listed = page(it, "/hardware/disposals?state=done")
    assert "数据已清除，已出证明" in listed
    assert '<a class="sub" href="/wipes?state=all' in listed

    told = it.get(f"{sheet}.json")
    assert told.headers["Content-Disposition"].startswith("attachment")
    paper = json.loads(told.data)["body"]["paper"]
    pdf = it.get(f"/papers/{paper}.pdf")
    assert verify_audit.check_certificate(told.data, pdf.data, None)["grade"] == "warnings"
    assert it.post(f"{sheet}/revoke", reason="错了").status_code == 403
    assert lead.post(f"{sheet}/revoke", reason="").status_code == 422
    assert lead.post(f"{sheet}/revoke", reason="照片不是这台手机").status_code == 303
    assert "撤销声明" in page(lead, sheet)
    assert it.get(f"{sheet}.json").status_code == 404


def photos() -> dict[str, Any]:
    kinds = ("welcome", "imei", "label")
    return {f"photo_{kind}": (io.BytesIO(picture(n)), f"{n}.jpg") for n, kind in enumerate(kinds)}


def test_while_sealed_the_page_says_what_it_waits_for(story: Story, desk: Callable[..., Person]) -> None:
    story.verified()
    story.vault.drop_root()
    lead = desk("lead", "lead3")
    answer = lead.post(f"/wipes/{story.world.id}/certificate")
    assert answer.status_code == 503
    assert "封存" in answer.text


def test_what_the_api_tells(story: Story, as_user: Any, org: Any) -> None:
    story.world.to("acknowledged")
    story.read()
    base = f"/api/v1/wipes/{story.world.id}"
    lead, auditor, foreign = (
        as_user("lead", org.centre),
        as_user("auditor", org.centre),
        as_user("lead", org.other_centre),
    )
    (row,) = auditor.get(f"{base}/inspections").get_json()["items"]
    assert (row["kind"], row["grade"]) == ("automatic", "verified")
    assert {"code", "words", "value", "verdict", "weight"} == set(row["facts"][0])
    assert foreign.get(f"{base}/inspections").status_code == 404
    assert auditor.post(f"{base}/inspections").status_code == 403
    assert lead.post(f"{base}/inspections").status_code == 202
    stale = lead.post(f"{base}/verdict", json={"verdict": "erased", "grade": "warnings"})
    assert (stale.status_code, stale.get_json()["code"]) == (409, "grade")
    told = lead.post(f"{base}/verdict", json={"verdict": "erased", "grade": "verified"}).get_json()
    assert (told["state"], told["certificate"], told["hindrances"]) == ("verified", None, [])
    assert auditor.get(f"{base}/certificate").get_json()["verified_by"] == str(lead.user_id)


def test_who_cannot_read_the_imei_off_is_told_who_does(story: Story, desk: Callable[..., Person]) -> None:
    world = story.world
    world.to("acknowledged")
    story.read(imei=None)
    home = f"/wipes/{world.id}"
    it, lead = page(desk("it"), home), page(desk("lead", "lead4"), home)
    asked = "请没有参与执行的主管拿起手机，在这一页“核对 IMEI”"
    assert asked in it
    assert "屏幕上显示的 IMEI" not in it
    assert asked in lead
    assert "屏幕上显示的 IMEI" in lead
