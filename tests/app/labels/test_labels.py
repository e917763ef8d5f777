"""Labels of apps: what is delivered, what layers add, how a name is shown."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.kernel.errors import Forbidden, Invalid, NotFound
from app.kernel.tenancy import SYSTEM, Principal
from app.labels import is_package, label_of, labels_among, labels_for, name_app, name_of
from app.policy import LayerInput, PolicyFiles, put_layer
from tests.app.conftest import START, Org

AWEME = "com.ss.android.ugc.aweme"
OWN = "com.example.gate"


@pytest.fixture
def files(app: Flask) -> PolicyFiles:
    return app.extensions["butler"].policies  # type: ignore[no-any-return]


def name(session: Session, files: PolicyFiles, org: Org, label: str, **changed: object) -> str:
    given = {"scope": "centre", "scope_id": org.centre, "reason": "GJ-0001 上看到", "now": START, **changed}
    package = given.pop("package", OWN)
    principal = given.pop("principal", SYSTEM)
    return name_app(session, principal, files, package, label, **given)  # type: ignore[arg-type]


def test_a_name_shows_label_and_package_and_the_bare_package_where_nobody_named_it() -> None:
    assert name_of(AWEME, {AWEME: "抖音"}) == "抖音（com.ss.android.ugc.aweme）"
    assert name_of("com.x.y", {AWEME: "抖音"}) == label_of("com.x.y", {}) == "com.x.y"
    assert label_of(AWEME, {AWEME: "抖音"}) == "抖音"


@pytest.mark.parametrize("text", ["", "1a.b", "a..b", "a.b ", "抖音.app", "a/b", "a." + "b" * 255, "a.b\n"])
def test_what_is_no_package_is_told(text: str) -> None:
    assert not is_package(text)


def test_the_delivered_labels_cover_what_the_rule_names_and_are_clean() -> None:
    labels = PolicyFiles(Path(__file__).resolve().parents[3] / "policies").latest("app_labels").body["labels"]
    assert len(labels) >= 250
    assert (labels["com.tencent.mm"], labels[AWEME]) == ("微信", "抖音")
    assert all(is_package(package) for package in labels)
    assert not [label for label in labels.values() if re.search(r"\s{2}|[<>&\x00-\x1f]", label)]
    # One label for two packages is fine for a maker's two versions of a part, not for two apps of the market.
    assert set(Counter(labels.values()).values()) <= {1, 2}


def test_a_centres_layer_adds_corrects_and_takes_away(session: Session, files: PolicyFiles, org: Org) -> None:
    assert OWN not in labels_for(session, files, org.centre)
    assert name(session, files, org, "  门禁  助手 ") == "门禁 助手"
    name(session, files, org, "抖音（本中心）", package=AWEME)
    mine = labels_for(session, files, org.centre)
    assert (mine[OWN], mine[AWEME]) == ("门禁 助手", "抖音（本中心）")
    assert OWN not in labels_for(session, files, org.other_centre)
    assert labels_for(session, files, None)[AWEME] == "抖音"
    both = labels_among(session, files, [org.centre, org.other_centre])
    assert (both[OWN], both[AWEME]) == ("门禁 助手", "抖音")
    assert labels_among(session, files, [org.centre])[AWEME] == "抖音（本中心）"
    assert labels_among(session, files, [])[AWEME] == "抖音"


def test_a_districts_layer_holds_in_all_its_centres(session: Session, files: PolicyFiles, org: Org) -> None:
    name(session, files, org, "门禁", scope="district", scope_id=org.district)
    assert labels_for(session, files, org.other_centre)[OWN] == "门禁"
    narrow = Principal("x", frozenset({"operations"}), frozenset({org.centre}))
    with pytest.raises(Forbidden):
        name(session, files, org, "门禁", scope="district", scope_id=org.district, principal=narrow)
    with pytest.raises(NotFound):
        name(session, files, org, "门禁", scope_id=org.other_centre, principal=narrow)


@pytest.mark.parametrize(
    ("label", "changed", "field"),
    [("", {}, "label"), ("门禁", {"reason": " "}, "reason"), ("门禁", {"package": "no package"}, "package")],
)
def test_what_does_not_fit_is_told_by_its_field(
    session: Session, files: PolicyFiles, org: Org, label: str, changed: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        name(session, files, org, label, **changed)
    assert [f.field for f in refused.value.fields] == [field]
    assert OWN not in labels_for(session, files, org.centre)


def test_what_the_allow_list_calls_its_apps_is_known_below_what_was_named(
    session: Session, files: PolicyFiles, org: Org
) -> None:
    body = {
        "apps": {"助这儿": {"package": OWN}, "水印相机": {"package": "com.xhey.xcamera"}},
        "allowed": {"com.example.gate2": "门禁"},
        "forbidden": {AWEME: "短视频"},
    }
    put_layer(
        session,
        SYSTEM,
        files,
        LayerInput("allowlist", "centre", org.centre, body, "试"),
        expected_version=0,
        now=START,
    )
    mine = labels_for(session, files, org.centre)
    assert (mine[OWN], mine["com.example.gate2"], mine[AWEME]) == ("助这儿", "门禁", "抖音")
    # Delivered as 今日水印相机: on every page it is called as the rule calls it.
    assert mine["com.xhey.xcamera"] == "水印相机"
    assert OWN not in labels_for(session, files, org.other_centre)
    assert labels_among(session, files, [org.centre, org.other_centre])[OWN] == "助这儿"
    name(session, files, org, "助这儿（新版）")
    assert labels_for(session, files, org.centre)[OWN] == "助这儿（新版）"
