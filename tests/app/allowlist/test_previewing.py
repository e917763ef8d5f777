"""Explained and tried by programs and on the command line; what is wanted against what was applied."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.allowlist.jobs import JOBS
from app.allowlist.model import AllowlistDraft
from app.compliance import rejudge
from app.kernel.clock import FixedClock
from app.kernel.db import Base, begin_write, db
from app.policy.files import PolicyFiles
from tests.app.allowlist.support import NAMED, WORK_PACKAGES, add_phone, draft_of, submit, text_of
from tests.app.conftest import Caller, Org

GAME = "com.example.game"


@pytest.fixture
def fleet(app: Flask, org: Org) -> list[uuid.UUID]:
    return [
        add_phone(app, org.centre, "GJ-1", WORK_PACKAGES),
        add_phone(app, org.centre, "GJ-2", [*WORK_PACKAGES, GAME]),
        add_phone(app, org.centre, "GJ-3", None),
        add_phone(app, org.other_centre, "GJ-4", [*WORK_PACKAGES, GAME]),
    ]


def put(client: Caller, org: Org, body: object, version: int = 0) -> None:
    path = f"/api/v1/policies/allowlist/layers/centre/{org.centre}"
    answer = client.put(
        path, json={"body": body, "reason": "取自 GJ-1"}, headers={"If-Match": f'"v{version}"'}
    )
    assert answer.status_code == 200, answer.text


def sizes(app: Flask) -> dict[str, int]:
    """How many rows each table has, but for what every request leaves behind."""
    with app.app_context():
        session = db.session()
        found = {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
            if name not in ("idempotency_key", "idempotency", "user_session", "api_token")
        }
        db.session.remove()
    return found


def test_every_value_is_explained(client: Caller, org: Org) -> None:
    put(client, org, {"settings": {"lock_screen": "any"}, "forbidden": {"com.smile.gifmaker": None},
                      "models": {"xiaomi": {"silent_hours": 96}}})  # fmt: skip
    told = client.get(f"/api/v1/allowlist?centre={org.centre}&brand=Xiaomi&model=M1").get_json()
    values = {tuple(one["path"]): one for one in told["values"]}
    lock = values["settings", "lock_screen"]
    assert (lock["value"], lock["source"]["kind"], lock["source"]["reason"]) == ("any", "centre", "取自 GJ-1")
    assert [(past["value"], past["source"]["kind"]) for past in lock["overrode"]] == [("set", "file")]
    assert values["silent_hours",]["source"]["model"] == "xiaomi"
    assert [one["path"] for one in told["taken_away"]] == [["forbidden", "com.smile.gifmaker"]]
    put(client, org, {"allowed": {"com.ss.android.ugc.aweme": "抖音"}}, version=1)
    assert "抖音同时在“禁止”和别的名单里" in text_of(client.get(f"/allowlist?centre={org.centre}"))
    put(client, org, {"settings": {"lock_screen": "any"}}, version=2)
    page = text_of(client.get(f"/allowlist?centre={org.centre}&show=settings&q=锁屏"))
    assert "不检查 本中心规定 v3" in page
    assert "原为 必须设置（公司制度 v2）" in page


def test_a_preview_by_program_writes_nothing(
    app: Flask, client: Caller, org: Org, fleet: list[uuid.UUID]
) -> None:
    put(client, org, NAMED)
    before = sizes(app)
    body = {
        "scope": "centre",
        "scope_id": str(org.centre),
        "body": NAMED | {"forbidden": {GAME: "某"}},
        "limit": 2,
    }
    moves: dict[tuple[str, str], int] = {}
    phones, after = [], None
    while True:
        told = client.post("/api/v1/allowlist/preview", json={**body, "after": after}).get_json()
        assert told["total"] == 3
        for move in told["moves"]:
            moves[move["before"], move["after"]] = (
                moves.get((move["before"], move["after"]), 0) + move["phones"]
            )
        phones += told["phones"]
        after = told["next"]
        if after is None:
            break
    assert sum(moves.values()) == 3
    assert [phone["handset_id"] for phone in phones] == [str(fleet[1])]
    assert {(seen["code"], seen["subject"]) for seen in phones[0]["appears"]} == {("app_forbidden", GAME)}
    assert sizes(app) == before
    refused = client.post("/api/v1/allowlist/preview", json={**body, "body": {"allowed": {"x y": "z"}}})
    assert refused.status_code == 422
    assert "不是包名" in refused.get_json()["errors"][0]["message"]


def test_a_file_is_tried_on_the_command_line(
    app: Flask, org: Org, fleet: list[uuid.UUID], tmp_path: Path
) -> None:
    run, file = app.test_cli_runner().invoke, tmp_path / "layer.yaml"
    before = sizes(app)
    file.write_text(json.dumps(NAMED), encoding="utf-8")
    lists = ["policies", "preview", str(file)]
    done = run(args=[*lists, "--json"])
    told = json.loads(done.stdout)
    # The names make a judgement possible at all four, and two of them carry what is on no list.
    assert (told["phones"], told["never_read"]) == (4, 1)
    assert {one["subject"] for one in told["findings"] if one["code"] == "app_not_prescribed"} == {GAME}
    file.write_text(json.dumps({"forbidden": {GAME: "某"}}), encoding="utf-8")
    worse = run(args=[*lists, "--centre", "C1"])
    assert worse.exit_code == 3, worse.output
    assert "3 台手机，其中 1 台从来没有读到过" in worse.stdout
    assert "安装了禁止的应用“某”" in worse.stdout
    file.write_text("{}", encoding="utf-8")
    assert run(args=[*lists, "--district", "HD"]).exit_code == 0
    file.write_text("allowed:\n  x y: z\n", encoding="utf-8")
    refused = run(args=lists)
    assert refused.exit_code == 1
    assert "第 2 行" in refused.stderr
    file.write_text("{}", encoding="utf-8")
    assert run(args=[*lists, "--centre", "C9"]).exit_code == 1
    assert run(args=[*lists, "--centre", "C1", "--district", "HD"]).exit_code == 2
    whole = (Path(__file__).parents[3] / "policies" / "allowlist" / "v2.yaml").read_text(encoding="utf-8")
    file.write_text(whole.replace("lock_screen: set", "lock_screen: any"), encoding="utf-8")
    assert run(args=lists).exit_code == 0
    assert sizes(app) == before


def test_what_is_wanted_and_what_was_applied(
    app: Flask, client: Caller, org: Org, fleet: list[uuid.UUID], clock: FixedClock
) -> None:
    never = client.get(f"/api/v1/handsets/{fleet[0]}/allowlist").get_json()
    assert (never["applied_version"], never["waiting"], never["wanted_version"]) == (None, True, 2)
    judge(app, clock)
    done = client.get(f"/api/v1/handsets/{fleet[0]}/allowlist").get_json()
    assert (done["waiting"], done["applied_sha256"]) == (False, done["wanted_sha256"])
    put(client, org, NAMED)
    assert client.get(f"/api/v1/handsets/{fleet[0]}/allowlist").get_json()["waiting"] is True
    page = text_of(client.get(f"/allowlist/applied?centre={org.centre}"))
    assert "等待重新检查" in page
    judge(app, clock)
    assert "等待重新检查" not in text_of(client.get(f"/allowlist/applied?centre={org.centre}"))


def judge(app: Flask, clock: FixedClock) -> None:
    from app.compliance import make_due

    files: PolicyFiles = app.extensions["butler"].policies
    with app.app_context():
        session = begin_write(db.session())
        make_due(session)
        while rejudge(session, files, clock.now()):
            session.flush()
        session.commit()
        db.session.remove()


def test_packages_seen_on_phones_are_offered_for_an_unnamed_app(
    client: Caller, org: Org, fleet: list[uuid.UUID]
) -> None:
    page = text_of(client.get(f"/allowlist?centre={org.centre}"))
    assert "6 个工作应用没有填写包名" in page
    names = client.get(f"/allowlist/names?centre={org.centre}")
    told = text_of(names)
    assert "看了 3 台，其中 2 台读到了应用列表" in told
    assert "com.work.a0 2 / 2 台有" in told
    assert "com.tencent.mm 2" not in told
    draft = draft_of(submit(client, "/allowlist/drafts", act="name", label="助这儿", package="com.work.a3"))
    assert "com.work.a3" in client.get(draft).text


def test_presets_are_taken_as_the_agent_prints_them(app: Flask, client: Caller, org: Org) -> None:
    text = (
        "# read off a new phone\npresets:\n  xiaomi:\n    M1: {com.miui.notes: 便签, com.miui.player: 音乐}\n"
    )
    draft = draft_of(submit(client, "/allowlist/presets", text=text))
    page = client.get(draft).text
    assert "xiaomi M1 的出厂预装应用" in page
    bad = "presets:\n  xiaomi:\n    M1: {a b: x}\n"
    for wrong in ("allowed: {com.a.a: x}", "presets: {}", "presets: {xiaomi: 1}", bad, "x: ["):
        answer = submit(client, "/allowlist/presets", text=wrong)
        assert answer.status_code == 422, wrong
    assert "第 3 行" in submit(client, "/allowlist/presets", text=bad).text


def test_old_drafts_are_dropped(app: Flask, client: Caller, org: Org, clock: FixedClock) -> None:
    import datetime as dt

    draft_of(submit(client, "/allowlist/drafts", act="app", place="allowed", label="甲", package="com.a.a"))
    for later, left in ((dt.timedelta(days=6), 1), (dt.timedelta(days=8), 0)):
        with app.app_context():
            session = begin_write(db.session())
            JOBS[0].run(session, clock.now() + later)
            session.commit()
            assert session.scalar(select(func.count()).select_from(AllowlistDraft)) == left
            db.session.remove()
