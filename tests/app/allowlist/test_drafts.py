"""From an edit to its preview to a new version: nothing holds before it is saved, nothing is lost to a race."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.allowlist.counting import judge_portion, note_portion
from app.allowlist.model import AllowlistDraft, AllowlistDraftFinding, AllowlistDraftPhone
from app.audit.model import AuditRow
from app.compliance.model import ComplianceChange, ComplianceVerdict
from app.kernel.db import begin_write, db
from app.kernel.tenancy import SYSTEM
from app.policy.model import PolicyLayer
from tests.app.allowlist.support import NAMED, WORK_PACKAGES, add_phone, draft_of, save, submit, text_of
from tests.app.conftest import ON_SQLITE, Caller, Org

GAME = "com.example.game"


@pytest.fixture
def fleet(app: Flask, org: Org) -> dict[str, uuid.UUID]:
    """Three phones of the first centre: clean, with a game, never read; one of the other centre, with the game."""
    return {
        "clean": add_phone(app, org.centre, "GJ-1", WORK_PACKAGES),
        "game": add_phone(app, org.centre, "GJ-2", [*WORK_PACKAGES, GAME]),
        "dark": add_phone(app, org.centre, "GJ-3", None),
        "other": add_phone(app, org.other_centre, "GJ-4", [*WORK_PACKAGES, GAME]),
    }


def layer(app: Flask, scope: str, scope_id: uuid.UUID, body: dict[str, Any], version: int = 1) -> None:
    with app.app_context():
        session = begin_write(db.session())
        session.add(
            PolicyLayer(
                subject="allowlist", scope=scope, scope_id=scope_id, version=version, body=body, reason="取自 GJ-1",
                created_by="user:wang", created_at=app.extensions["butler"].clock.now(),
            )
        )  # fmt: skip
        session.commit()
        db.session.remove()


def rows(app: Flask, query: Any) -> list[Any]:
    with app.app_context():
        found = list(db.session().execute(query))
        db.session.remove()
    return found


def count(app: Flask, model: Any) -> int:
    return int(rows(app, select(func.count()).select_from(model))[0][0])


def test_forbidding_an_app_shows_whom_it_hits_before_it_holds(
    app: Flask, org: Org, fleet: dict[str, uuid.UUID], as_user: Callable[..., Caller]
) -> None:
    layer(app, "centre", org.centre, NAMED)
    user = as_user("operations", org.centre)
    answer = submit(user, "/allowlist/drafts", act="app", place="forbidden", label="某游戏", package=GAME)
    draft = draft_of(answer)
    page = text_of(user.get(draft))
    assert "增加 禁止的应用 — 某游戏（com.example.game）" in page
    assert "已按草稿检查完 3 台手机" in page
    assert "1 台从来没有读到过" in page
    assert "安装了禁止的应用" in page
    assert "GJ-2" in text_of(user.get(f"{draft}?show=phones"))
    assert "GJ-1" not in text_of(user.get(f"{draft}?show=phones"))
    # Nothing holds yet, and nobody was judged by it.
    assert count(app, PolicyLayer) == 1
    assert count(app, ComplianceVerdict) == count(app, ComplianceChange) == 0
    assert save(user, draft, "大区通知").status_code == 303
    saved = rows(
        app, select(PolicyLayer.version, PolicyLayer.body, PolicyLayer.reason).order_by(PolicyLayer.version)
    )[-1]
    assert saved.version == 2
    assert saved.reason == "大区通知"
    assert saved.body == NAMED | {"forbidden": {GAME: "某游戏"}}
    assert [row.action for row in rows(app, select(AuditRow.action)) if row.action.startswith("policy")] == [
        "policy.layer_put"
    ]
    # Saved twice, it is written once.
    assert save(user, draft).status_code in (409, 412)
    assert count(app, PolicyLayer) == 2


@ON_SQLITE
def test_a_reason_is_needed_and_what_was_typed_stays(
    app: Flask, org: Org, fleet: dict[str, uuid.UUID], client: Caller
) -> None:
    draft = draft_of(
        submit(client, "/allowlist/drafts", act="setting", name="settings.lock_screen", value="any")
    )
    assert save(client, draft, "  ").status_code == 422
    assert count(app, PolicyLayer) == 0
    assert save(client, draft, "试用").status_code == 303


def test_who_saved_in_between_is_told_and_both_changes_stand(
    app: Flask, org: Org, fleet: dict[str, uuid.UUID], client: Caller
) -> None:
    where = {"centre": str(org.centre)}
    mine = draft_of(
        submit(
            client, "/allowlist/drafts", act="app", place="allowed", label="甲", package="com.a.a", **where
        )
    )
    page = client.get(mine).text
    version = re.search(r'name="version" value="(\d+)"', page)
    layer(app, "centre", org.centre, {"allowed": {"com.b.b": "乙"}})
    refused = submit(client, f"{mine}/save", version=version[1] if version else "", reason="我的")
    assert refused.status_code == 412
    assert "user:wang" in refused.text
    assert "放到第 1 版上" in refused.text
    assert count(app, PolicyLayer) == 1
    assert submit(client, f"{mine}/rebase").status_code == 303
    assert save(client, mine, "我的").status_code == 303
    assert rows(app, select(PolicyLayer.body).where(PolicyLayer.version == 2))[0].body == {
        "allowed": {"com.b.b": "乙", "com.a.a": "甲"}
    }


@ON_SQLITE
def test_a_change_at_the_same_place_is_named(app: Flask, org: Org, client: Caller) -> None:
    setting = {"act": "setting", "name": "security.patch_months", "centre": str(org.centre)}
    mine = draft_of(submit(client, "/allowlist/drafts", value="12", **setting))
    layer(app, "centre", org.centre, {"security": {"patch_months": 36}})
    submit(client, f"{mine}/rebase")
    # A flash needs a cookie: the answer after the redirect of this same client.
    assert "放到第" not in client.get(mine).text
    assert save(client, mine).status_code == 303
    assert rows(app, select(PolicyLayer.body).where(PolicyLayer.version == 2))[0].body["security"] == {
        "patch_months": 12
    }


@ON_SQLITE
def test_rules_above_that_changed_after_the_preview_are_counted_again(
    app: Flask, org: Org, fleet: dict[str, uuid.UUID], client: Caller
) -> None:
    where = {"centre": str(org.centre)}
    mine = draft_of(
        submit(client, "/allowlist/drafts", act="app", place="forbidden", label="某", package=GAME, **where)
    )
    layer(app, "district", org.district, NAMED)
    refused = save(client, mine)
    assert refused.status_code == 412
    assert "重新计算" in refused.text
    assert submit(client, f"{mine}/recount").status_code == 303
    assert save(client, mine).status_code == 303


@ON_SQLITE
def test_a_district_is_for_who_has_all_centres(
    app: Flask, org: Org, fleet: dict[str, uuid.UUID], client: Caller, as_user: Callable[..., Caller]
) -> None:
    body = {"scope": "district", "scope_id": str(org.district), "body": {"forbidden": {GAME: "某"}}}
    local = as_user("operations", org.centre)
    assert local.post("/api/v1/allowlist/preview", json=body).status_code == 403
    draft = draft_of(
        submit(
            client,
            "/allowlist/drafts",
            act="app",
            place="forbidden",
            label="某",
            package=GAME,
            scope="district",
        )
    )
    page = text_of(client.get(f"{draft}?show=phones"))
    assert "GJ-2" in page
    assert "GJ-4" in page
    assert "翠湖天地" in page
    # The local one asks for the district and gets what he may: his own centre's layer.
    mine = draft_of(
        submit(
            local,
            "/allowlist/drafts",
            act="app",
            place="allowed",
            label="甲",
            package="com.a.a",
            scope="district",
        )
    )
    assert (
        rows(
            app, select(AllowlistDraft.scope).where(AllowlistDraft.id == uuid.UUID(mine.rpartition("/")[2]))
        )[0].scope
        == "centre"
    )


def test_nobody_reads_or_saves_the_draft_of_another(
    app: Flask, org: Org, client: Caller, as_user: Callable[..., Caller]
) -> None:
    draft = draft_of(
        submit(client, "/allowlist/drafts", act="app", place="allowed", label="甲", package="com.a.a")
    )
    other = as_user("operations")
    assert other.get(draft).status_code == 404
    assert submit(other, f"{draft}/save", version="1", reason="x").status_code == 404
    for role in ("lead", "it"):
        reader = as_user(role, org.centre)
        assert reader.get("/allowlist").status_code == 200
        assert "加应用" not in reader.get("/allowlist").text
        assert submit(reader, "/allowlist/drafts", act="app").status_code == 403
    assert as_user("butler", org.centre).get("/allowlist").status_code == 403
    stranger = as_user("operations", org.other_centre)
    assert stranger.get(f"/allowlist?centre={org.centre}").status_code == 404


def test_counting_goes_on_portion_by_portion_and_nothing_is_counted_twice(
    app: Flask, org: Org, fleet: dict[str, uuid.UUID], client: Caller
) -> None:
    draft = draft_of(
        submit(
            client,
            "/allowlist/drafts",
            act="app",
            place="forbidden",
            label="某",
            package=GAME,
            centre=str(org.centre),
        )
    )
    draft_id = uuid.UUID(draft.rpartition("/")[2])
    files, now = app.extensions["butler"].policies, app.extensions["butler"].clock.now()
    with app.app_context():
        session = begin_write(db.session())
        row = session.get_one(AllowlistDraft, draft_id)
        whole = (row.moves, row.counted, row.never_read)
        findings = session.scalar(select(func.sum(AllowlistDraftFinding.phones)))
        who = SYSTEM.__class__(user=row.created_by, roles=frozenset({"admin"}), centres=None)
        row.state, row.rules_sha256, row.moves, row.counted, row.never_read, row.after_id = (
            "counting",
            "",
            {},
            0,
            0,
            None,
        )
        for table in (AllowlistDraftPhone, AllowlistDraftFinding):
            session.query(table).delete()
        session.flush()
        steps = 0
        while (portion := judge_portion(session, who, files, draft_id, now, 1)) is not None:
            row = note_portion(session, who, draft_id, portion, now)
            # The answer that came late, of a second window: it was counted already.
            row = note_portion(session, who, draft_id, portion, now)
            steps += 1
        assert steps == 4
        assert (row.moves, row.counted, row.never_read) == whole
        assert session.scalar(select(func.sum(AllowlistDraftFinding.phones))) == findings
        assert row.state == "counted"
        assert row.total == 3


@ON_SQLITE
def test_an_old_version_comes_back_as_a_new_one(app: Flask, org: Org, client: Caller) -> None:
    layer(
        app, "centre", org.centre, {"installers": ["com.xiaomi.market"]}
    )  # as version 1 of the policy had it
    layer(app, "centre", org.centre, {}, version=2)
    page = text_of(client.get(f"/allowlist/versions?centre={org.centre}"))
    assert "允许的应用商店" in page
    assert "恢复到这一版" in page
    assert "user:wang" in page
    draft = draft_of(submit(client, "/allowlist/versions/1/restore", centre=str(org.centre)))
    assert save(client, draft, "恢复").status_code == 303
    body = rows(app, select(PolicyLayer.body).where(PolicyLayer.version == 3))[0].body
    assert body == {"installers": {"allowed": ["com.xiaomi.market"]}}


@ON_SQLITE
def test_a_row_names_who_set_it_and_not_who_saved_last(app: Flask, org: Org, client: Caller) -> None:
    layer(app, "centre", org.centre, {"allowed": {"com.a.a": "甲"}})
    layer(app, "centre", org.centre, {"allowed": {"com.a.a": "甲", "com.b.b": "乙"}}, version=2)
    found = client.get(f"/api/v1/allowlist?centre={org.centre}").get_json()["values"]
    versions = {one["path"][1]: one["source"]["version"] for one in found if one["path"][0] == "allowed"}
    assert (versions["com.a.a"], versions["com.b.b"]) == (1, 2)
    page = text_of(client.get(f"/allowlist?centre={org.centre}&q=com.a.a"))
    assert "本中心规定 v1" in page


@ON_SQLITE
def test_edits_gather_in_one_draft(app: Flask, org: Org, client: Caller) -> None:
    draft = draft_of(submit(client, "/allowlist/drafts", act="name", label="助这儿", package="com.work.zhe"))
    draft_id = draft.rpartition("/")[2]
    assert "com.work.zhe" in client.get(f"/allowlist?draft={draft_id}").text
    again = submit(client, "/allowlist/drafts", act="remove", path='["apps", "易企秀"]', draft=draft_id)
    assert draft_of(again) == draft
    assert save(client, draft).status_code == 303
    assert rows(app, select(PolicyLayer.body))[0].body == {
        "apps": {"助这儿": {"package": "com.work.zhe"}, "易企秀": None}
    }
    page = client.get("/allowlist").text
    assert "被取消的" in page
    back = draft_of(submit(client, "/allowlist/drafts", act="give_back", path='["apps", "易企秀"]'))
    assert save(client, back).status_code == 303


@ON_SQLITE
def test_an_app_that_is_refused_names_the_field_and_loses_nothing_that_was_typed(
    org: Org, client: Caller
) -> None:
    typed = {
        "act": "app",
        "place": "forbidden",
        "label": "门禁 & 助手",
        "package": "门禁.app",
        "signer": "B37",
    }
    answer = submit(client, "/allowlist/drafts", back="/allowlist/new?scope=centre", **typed)
    assert answer.headers["Location"].startswith("/allowlist/new?scope=centre&")
    page = client.get(answer.headers["Location"]).text
    assert "包名“门禁.app”不对" in page
    assert 'value="门禁 &amp; 助手"' in page
    assert 'value="门禁.app"' in page
    assert 'value="B37"' in page
    assert '<option value="forbidden" selected>' in page
    typed |= {"place": "required", "package": "com.a.a", "signer": "zz"}
    again = submit(client, "/allowlist/drafts", back="/allowlist/new", **typed).headers["Location"]
    assert "签名“zz”不对" in client.get(again).text


REFUSED: list[dict[str, str]] = [
    {"act": "app", "place": "allowed", "label": "甲", "package": "不是包名"},
    {"act": "app", "place": "nowhere", "label": "甲", "package": "com.a.a"},
    {"act": "app", "place": "allowed", "label": "甲", "package": ""},
    {"act": "app", "place": "required", "label": "甲", "package": "com.a.a", "least_version": "1.2"},
    {"act": "app", "place": "required", "label": "甲", "package": "com.a.a", "signer": "zz"},
    {"act": "name", "label": "没有的应用", "package": "com.a.a"},
    {"act": "remove", "path": '["severity", "rooted"]'},
    {"act": "remove", "path": "[]"},
    {"act": "remove", "path": "x"},
    {"act": "remove", "path": '["allowed", "com.not.there"]'},
    {"act": "setting", "name": "security.patch_months", "value": "many"},
    {"act": "setting", "name": "silent_hours", "value": ""},
    {"act": "setting", "name": "rule", "value": "R99"},
    {"act": "setting", "name": "settings.lock_screen", "value": "maybe"},
    {"act": "nothing"},
]


@ON_SQLITE
def test_what_cannot_be_taken_is_told_and_makes_no_draft(app: Flask, org: Org, client: Caller) -> None:
    for fields in REFUSED:
        answer = submit(client, "/allowlist/drafts", back="/allowlist", **fields)
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (303, "/allowlist"), (
            fields
        )
    assert count(app, AllowlistDraft) == 0
