"""Pages by forms as a browser sends them, the API, and who may do what."""

from __future__ import annotations

import hashlib
import io
import re

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from app.audit import AuditRow
from app.kernel.db import db
from tests.app.transfer.conftest import entry

PROGRESS = {
    "stage": "tap_needed", "done_bytes": 512, "total_bytes": 1024, "done_files": 1, "total_files": 3, "rate_bps": 100,
    "left_s": None, "note": None,
}  # fmt: skip
WECHAT = {
    "outcome": "yes", "began_at": "2026-11-22T08:00", "finished_at": "2026-11-22T09:00", "before": "12", "after": "12",
    "words": "",
}  # fmt: skip


@pytest.fixture
def database_url(one_database):
    return one_database


@pytest.fixture
def people(as_user, world):
    made = {
        role: as_user(role, world.centre, name=role)
        for role in ("it", "operations", "lead", "auditor", "finance")
    }
    made["lead2"] = as_user("lead", world.centre, name="lead2")
    made["butler"] = as_user("butler", world.centre)
    made["foreign"] = as_user(
        "lead", world.phones.other_centre if hasattr(world.phones, "other_centre") else None
    )
    return made


def page(caller, path, status=200):
    answer = caller.get(path)
    assert answer.status_code == status, answer.text
    return answer.text


def send(caller, path, status=303, photos=(), **data):
    data["photos"] = [(io.BytesIO(one), f"{number}.jpg") for number, one in enumerate(photos)]
    answer = caller.post(path, data=data, content_type="multipart/form-data")
    assert answer.status_code == status, answer.text
    return answer


def opened(people, world, **more):
    given = {
        "old": "GJ-0000",
        "new": "GJ-0001",
        "reason": "合约到期",
        "parts": ["files", "contacts", "calls", "messages"],
    }
    answer = people["it"].post("/transfers/new", data=given | more)
    assert answer.status_code == 303, answer.text
    path = answer.headers["Location"]
    world.id = __import__("uuid").UUID(path.rsplit("/", 1)[1])
    return path


def test_the_whole_way_by_pages(people, world, photo):
    assert "还没有数据迁移" in page(people["it"], "/transfers")
    assert "确实要迁移的" in page(people["it"], f"/transfers/new?old={world.phones['S1']}&new=GJ-0001")
    path = opened(people, world)
    assert "开始迁移" in page(people["it"], path)
    send(people["it"], f"{path}/start")
    [command] = world.lease()
    world.tell(command, "running", **PROGRESS)
    shown = page(people["operations"], path)
    assert "现在要有人操作" in shown
    assert 'value="50"' in shown
    assert "512 B / 1.0 KB" in shown
    assert "100 B/秒" in shown
    world.tell(command, "running", **{**PROGRESS, "stage": "people", "total_bytes": None, "rate_bps": 0})
    assert "速度" not in page(people["operations"], path), "contacts are not counted in bytes"
    entries = [entry(0), entry(1, "failed", path="/sdcard/DCIM/客户=1+1.jpg"), entry(2)]
    world.final(command, entries, "differences")
    shown = page(people["it"], path)
    assert "重试没有核验的" in shown
    assert "</b> 前台网关 · " in shown, "a gateway is called by its name"
    listed = page(people["lead"], f"{path}/files")
    assert "客户=1+1.jpg" in listed
    assert "IMG_0" not in listed
    assert "IMG_0" in page(people["lead"], f"{path}/files?state=all&q=IMG_0")
    assert "没有符合条件" in page(people["lead"], f"{path}/files?q=nothing")
    send(people["lead"], f"{path}/accept_data", reason="已确认是重复的照片")
    assert "微信只能用它自带的功能迁移" in page(people["it"], path)
    send(people["it"], f"{path}/wechat", photos=[photo], **WECHAT)
    assert "已接受" in page(people["it"], path)
    world.run_jobs()
    shown = page(people["auditor"], path)
    paper = re.search(r'href="(/papers/[0-9a-f-]{36})"', shown)[1]
    told = page(people["lead"], paper)
    assert "数据迁移单" in told
    assert "客户=1+1" not in told
    assert "已确认是重复的照片" in told
    assert world.row().manifest_sha256 in told
    picture = re.search(rf'src="({path}/photos/[0-9a-f]{{64}})"', shown)[1]
    assert people["auditor"].get(picture).mimetype == "image/jpeg"
    assert people["auditor"].get(f"{path}/photos/{'0' * 64}").status_code == 404
    assert "数据迁移" in page(people["it"], f"/history/handset/{world.phones['S1']}")


def test_what_was_not_chosen_is_named_to_who_accepts_it(people, world):
    path = opened(people, world, parts=["contacts", "calls", "messages"])
    send(people["it"], f"{path}/start")
    [command] = world.lease()
    none = dict.fromkeys(("found", "moved", "verified", "differs", "failed", "skipped", "bytes"), 0)
    world.final(command, [], files=none)
    assert "没有选择迁移的内容（照片、视频和文件）不会在新手机上" in page(people["lead"], path)


def test_a_manifest_that_is_downloaded_has_the_hash_of_the_page_and_is_noted(people, world):
    path = opened(people, world)
    send(people["it"], f"{path}/start")
    [command] = world.lease()
    entries = [entry(i, path=f"/sdcard/DCIM/'\n😀{i}.jpg") for i in range(4)]
    world.final(command, entries)
    raw = people["it"].get(f"{path}/manifest.jsonl").data
    assert hashlib.sha256(raw).hexdigest() == world.row().manifest_sha256
    book = people["lead"].get(f"{path}/files.xlsx?state=all").data
    assert len(CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()) == 5
    assert CalamineWorkbook.from_filelike(
        io.BytesIO(people["it"].get("/transfers.xlsx").data)
    ).sheet_names == ["数据迁移"]
    with world.app.app_context():
        query = select(AuditRow.object, AuditRow.details).where(AuditRow.action == "transfer.exported")
        found = [(row.object, str(row.details)) for row in db.session().execute(query)]
        db.session.remove()
    assert [name for name, _ in found].count(f"transfer:{world.id}") == 2
    assert not any("sdcard" in told for _, told in found)


def test_names_of_files_are_not_for_everybody(people, world):
    path = opened(people, world)
    send(people["it"], f"{path}/start")
    [command] = world.lease()
    world.final(command)
    for role, status in (
        ("it", 200), ("lead", 200), ("operations", 403), ("auditor", 403), ("finance", 403), ("butler", 403),
        ("foreign", 404),
    ):  # fmt: skip
        for name in ("files", "files.xlsx", "manifest.jsonl"):
            assert people[role].get(f"{path}/{name}").status_code == status, (role, name)
        assert people[role].get(f"/api/v1{path}/manifest").status_code == status, role
    assert "逐项查看" not in page(people["operations"], path)


@pytest.mark.parametrize(
    ("act", "may"),
    [
        ("start", {"it", "operations", "lead"}), ("cancel", {"it", "operations", "lead"}),
        ("wechat", {"it", "operations", "lead"}), ("ask_waive", {"it", "operations", "lead"}),
        ("discard", {"it", "operations", "lead"}), ("accept_data", {"lead"}), ("accept_wechat", {"lead"}),
        ("decide_waive", {"lead"}),
    ],
)  # fmt: skip
def test_who_may_act(people, world, act, may):
    path = opened(people, world)
    for role in ("it", "operations", "lead", "auditor", "finance", "butler"):
        answer = people[role].post(f"{path}/{act}", data={"reason": ""})
        assert (answer.status_code == 403) == (role not in may), (role, answer.status_code)
        if answer.status_code == 303:
            break
    assert people["foreign"].post(f"{path}/{act}", data={"reason": "x"}).status_code in {403, 404}


def test_what_was_typed_stays_when_it_is_refused(people, world):
    answer = people["it"].post(
        "/transfers/new", data={"old": "GJ-0000", "new": "GJ-0001", "parts": ["files"]}
    )
    assert answer.status_code == 422
    assert "确实要迁移的，请写明原因" in answer.text
    assert 'value="GJ-0001"' in answer.text
    nobody = people["it"].post(
        "/transfers/new", data={"old": "GJ-0000", "new": "XX", "reason": "x", "parts": ["files"]}
    )
    assert "没有这个资产编号的手机" in nobody.text
    path = opened(people, world)
    wrong = send(
        people["it"], f"{path}/wechat", status=422, **(WECHAT | {"after": "3", "words": "少了几个群"})
    )
    assert "少了几个群" in wrong.text
    assert "请上传迁移完成的截图" in wrong.text


def test_a_link_leads_nowhere_else(people, world):
    for evil in ("javascript:alert(1)", "//elsewhere.example", "https://elsewhere.example"):
        shown = people["it"].get("/transfers/new", query_string={"source": evil}).text
        assert evil not in shown
        opened(people, world, source=evil)
        assert world.row().source == "/"
        people["it"].post(f"/transfers/{world.id}/cancel", data={"reason": "试"})
    path = opened(people, world, source="/hardware/disposals")
    assert 'href="/hardware/disposals">来源' in page(people["it"], path)


def test_a_phone_without_a_successor_is_waived_by_two(people, world):
    answer = people["it"].post(
        "/transfers/new", data={"alone": "yes", "old": "GJ-0000", "reason": "主板损坏，开不了机"}
    )
    path = answer.headers["Location"]
    assert "待主管决定" in page(people["it"], "/transfers")
    assert (
        people["it"].get(f"/api/v1/handsets/{world.phones['S1']}/transfer").get_json()["code"] == "unverified"
    )
    send(people["lead"], f"{path}/decide_waive", grant="yes")
    assert "免迁移" in page(people["it"], path)
    assert people["it"].get(f"/api/v1/handsets/{world.phones['S1']}/transfer").get_json()["code"] == "waived"
    world.run_jobs()
    paper = re.search(r'href="(/papers/[0-9a-f-]{36})"', page(people["it"], path))[1]
    assert "主板损坏" in page(people["lead"], paper)


def test_by_the_api(people, world):
    body = {"old_id": str(world.phones["S1"]), "new_id": str(world.phones["S2"]), "reason": "换机"}
    made = people["it"].post("/api/v1/transfers", json=body)
    assert (made.status_code, made.get_json()["state"]) == (201, "draft")
    assert people["operations"].post("/api/v1/transfers", json=body).get_json()["code"] == "transfer_open"
    path = f"/api/v1/transfers/{made.get_json()['id']}"
    world.id = __import__("uuid").UUID(made.get_json()["id"])
    assert people["it"].post(f"{path}/start").get_json()["state"] == "queued"
    assert people["it"].post(f"{path}/start").get_json()["code"] == "transfer_state"
    [command] = world.lease()
    world.final(command, [entry(0, "failed")], "differences")
    told = people["it"].get(path).get_json()
    assert (told["state"], told["files"]["failed"], told["told_parts"][0]["name"]) == (
        "attention",
        1,
        "contacts",
    )
    assert "start" in told["acts"]
    assert people["it"].post(f"{path}/acceptance", json={"reason": "x"}).status_code == 403
    assert people["lead"].post(f"{path}/acceptance", json={"reason": "重复"}).get_json()["state"] == "moved"
    listed = people["auditor"].get("/api/v1/transfers?state=moved").get_json()["items"]
    assert [row["id"] for row in listed] == [str(world.id)]
    assert people["lead"].get(f"{path}/manifest?state=failed").get_json()["items"][0]["reason"] == "hash"
    assert people["it"].post(f"{path}/discard").get_json()["copy"] == "kept"
    assert people["it"].post(f"{path}/waiver", json={"reason": "没有微信"}).status_code == 200
    no = people["lead"].post(f"{path}/waiver-decision", json={"grant": False, "reason": "有微信"})
    assert no.get_json()["waive_asked_by"] is None
    assert people["it"].post(f"{path}/cancel", json={"reason": "换一台"}).get_json()["state"] == "cancelled"
    assert people["foreign"].get(path).status_code == 404
    assert people["it"].get("/api/v1/transfers?state=moved").get_json()["items"] == []
