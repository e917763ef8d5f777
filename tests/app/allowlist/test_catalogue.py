"""The values that people set one by one, and what they do for one brand alone."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.allowlist.catalogue import BY_NAME, CATALOGUE, NOBODY, parsed, value_words
from app.allowlist.editing import AppEntry, Layer, put_app, remove, set_value
from app.allowlist.words import differences
from app.compliance import allowlist_of
from app.kernel.errors import Invalid
from app.policy import PolicyFiles
from app.settings import ROOT

LISTS = {"apps", "allowed", "forbidden", "presets", "models", "rule"}


@pytest.fixture(scope="module")
def files() -> PolicyFiles:
    return PolicyFiles(ROOT / "policies")


def _named(body: Any, path: tuple[str, ...] = ()) -> set[str]:
    if not isinstance(body, dict):
        return {".".join(path)}
    return {
        name
        for key, value in body.items()
        for name in _named(value, (*path, key))
        if (*path, key)[0] not in LISTS
    }


def test_every_value_of_the_policy_can_be_set(files: PolicyFiles) -> None:
    body = dict(files.latest("allowlist").body)
    assert _named(body) == {setting.name for setting in CATALOGUE}


def test_what_holds_is_what_its_form_would_send(files: PolicyFiles) -> None:
    body = files.latest("allowlist").body
    for setting in CATALOGUE:
        value: Any = body
        for name in setting.path:
            value = value[name]
        text = "" if value is None else str(value).lower() if setting.kind == "flag" else str(value)
        if setting.kind == "list":
            text = "" if value is None else "\n".join(map(str, value)) or ("无" if setting.optional else "")
        assert parsed(setting, text) == value, setting.name
        assert value_words(setting, value), setting.name


def test_nobody_allowed_is_not_the_same_as_not_judged() -> None:
    accessibility = BY_NAME["settings.accessibility.allowed"]
    assert (parsed(accessibility, ""), parsed(accessibility, "无")) == (None, [])
    assert (value_words(accessibility, None), value_words(accessibility, [])) == ("不检查", NOBODY)


def test_for_one_brand_alone(files: PolicyFiles) -> None:
    below = files.latest("allowlist").body
    layer = Layer({}, below, "xiaomi")
    layer = set_value(layer, "settings.unknown_sources", "any")
    layer = set_value(layer, "settings.accessibility.allowed", "")
    layer = put_app(layer, AppEntry("allowed", "快手", "com.smile.gifmaker"))
    layer = remove(layer, ("apps", "易企秀"))
    assert layer.body == {
        "models": {
            "xiaomi": {
                "settings": {"unknown_sources": "any", "accessibility": {"allowed": None}},
                "allowed": {"com.smile.gifmaker": "快手"},
                "forbidden": {"com.smile.gifmaker": None},
                "apps": {"易企秀": None},
            }
        }
    }
    body = files.stacked("allowlist", [layer.body])
    assert files.problems_of("allowlist", body) == []
    mine, theirs = allowlist_of(body, "Xiaomi", "M1"), allowlist_of(body, "HUAWEI", "M1")
    assert (mine.place_of("com.smile.gifmaker"), theirs.place_of("com.smile.gifmaker")) == (
        "allowed",
        "forbidden",
    )
    assert ("易企秀" in mine.unnamed, "易企秀" in theirs.unnamed) == (False, True)
    assert (mine.accessibility, theirs.accessibility) == (None, frozenset())
    told = "；".join(
        f"{one.what}{one.thing}：{one.before or one.after}{one.after}" for one in differences(below, body)
    )
    for words in (
        "增加xiaomi 的可以装的应用：快手",
        "取消xiaomi 的禁止的应用",
        "取消xiaomi 的工作应用“易企秀”",
        "不检查",
    ):
        assert words in told


def test_moving_an_app_takes_it_off_the_other_list(files: PolicyFiles) -> None:
    below = files.latest("allowlist").body
    layer = put_app(Layer({}, below), AppEntry("allowed", "快手", "com.smile.gifmaker"))
    assert layer.body == {
        "allowed": {"com.smile.gifmaker": "快手"},
        "forbidden": {"com.smile.gifmaker": None},
    }
    with pytest.raises(Invalid):
        remove(layer, ("forbidden", "com.smile.gifmaker"))


def test_pages_of_a_centre_without_anything(app: Flask) -> None:
    client = app.test_client()
    token = app.extensions["butler"].access_token
    for path in ("", "/versions", "/names", "/applied", "/new", "/yaml", "/presets", "/sheet"):
        answer = client.get(
            f"/allowlist{path}", headers={"Authorization": f"Bearer {token}"}, base_url="http://127.0.0.1"
        )
        assert answer.status_code == 200
        assert "还没有服务中心" in answer.text
