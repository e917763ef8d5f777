"""What a lying phone, or a gateway that was taken over, writes into its readings stops no job for the other phones."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.apps.indexing import index_changes
from app.kernel.db import db
from app.remedy.hook import tools
from app.remedy.model import RemedyCase
from tests.app.remedy import remedy_world
from tests.app.remedy.remedy_world import BAD, CLEAN, NAMES, OWNER, World
from tests.support.agents import package, reading, with_sections

IMPOSSIBLE: dict[str, dict[str, Any]] = {
    "long": package("com.example." + "a" * 700),
    "nul": package("com.example\0a"),
    "line": package("com.example\n\x1b[31m<script>"),
    "user": {**package("com.example.a"), "user": 2**31},
    "minus": {**package("com.example.a"), "user": -1},
    "code": {**package("com.example.a"), "version_code": 2**64 - 1},
}
LINES = "1\0\x1b[31m\n=cmd()<script>alert(1)</script>" + "9" * 900


def follows(world: World) -> None:
    """The jobs go on for every other phone."""
    world.find(package(BAD))
    with world.writing() as session:
        index_changes(session, tools().policies, 10)
    assert world.state == "told_butler"


@pytest.mark.parametrize("row", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_an_app_that_no_phone_can_have_is_refused_at_the_door(world: World, row: dict[str, Any]) -> None:
    entry = with_sections(reading("S2", age_s=0.0), users=OWNER, packages=[package(BAD), row])
    (rejected,) = world.gateway.checkin(readings=[entry]).get_json()["rejected"]
    assert rejected["code"] == "bad_entry", rejected
    follows(world)


@pytest.mark.parametrize(
    "users", [[{"id": 2**40, "name": "a", "running": None}], [{"id": -1, "name": "", "running": True}]]
)
def test_so_is_a_user(world: World, users: list[dict[str, Any]]) -> None:
    entry = with_sections(reading("S2", age_s=0.0), users=users)
    assert world.gateway.checkin(readings=[entry]).get_json()["rejected"]


def test_words_that_a_phone_made_up_are_kept_as_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any app may call its version, its type of accounts and its services what it likes, and a user his space."""
    world.layer("allowlist", {"apps": NAMES, "accounts": {"allowed": ["com.tencent.mm"]}})
    lying = CLEAN | {
        "accounts": [{"user": 0, "type": LINES, "name_hmac": None}],
        "setup": CLEAN["setup"] | {"unknown_sources": [LINES]},
        "security": CLEAN["security"]
        | {
            "accessibility": ["com.example.a/\0"],
            "device_owner": {"set": True, "package": f"z{LINES[:400]}"},
        },
    }
    odd = package("com.example.a") | {"version_name": LINES, "installer": LINES}
    with monkeypatch.context() as patched:
        patched.setattr(remedy_world, "CLEAN", lying)
        users = [*OWNER, {"id": 10, "name": LINES, "running": True}]
        world.read(package(BAD), odd, {**odd, "user": 10}, serial="S2", users=users)
    follows(world)
    with world.app.app_context():
        found = list(
            db.session().scalars(select(RemedyCase).where(RemedyCase.handset_id == world.phones["S2"]))
        )
        codes = {case.code for case in found}
        assert all(case.subject.isprintable() and case.words.isprintable() for case in found)
        db.session.remove()
    assert {"app_forbidden", "account_not_allowed", "unknown_sources_on", "user_not_allowed"} <= codes
    assert "other_device_owner" in codes
