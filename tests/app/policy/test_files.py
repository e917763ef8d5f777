"""Policy files: the delivered ones are sound, and a faulty one is told with all its faults."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any, ClassVar

import pytest

from app.policy import PolicyError, PolicyFiles, patched

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = {
    "type": "object",
    "required": ["rule"],
    "properties": {"rule": {"const": "R99"}, "n": {"type": "integer"}},
}


def write(directory: Path, subject: str, **files: str) -> None:
    (directory / subject).mkdir()
    (directory / subject / "schema.json").write_text(json.dumps(SCHEMA))
    for name, text in files.items():
        (directory / subject / f"{name}.yaml").write_text(text)


def problems(directory: Path) -> list[str]:
    with pytest.raises(PolicyError) as faulty:
        PolicyFiles(directory)
    return faulty.value.problems


def test_the_newest_version_holds(tmp_path: Path) -> None:
    write(tmp_path, "weather", v2="rule: R99\nn: 2\n", v10="rule: R99\nn: 10\n")
    files = PolicyFiles(tmp_path)
    assert (files.latest("weather").version, files.latest("weather").body["n"]) == (10, 10)
    assert files.version("weather", 2).body["n"] == 2


def test_the_sha_names_the_meaning_and_not_the_spelling(tmp_path: Path) -> None:
    write(tmp_path, "a", v1="rule: R99\nn: 2\n")
    write(tmp_path, "b", v1="# words\nn:   2\nrule: 'R99'\n")
    files = PolicyFiles(tmp_path)
    assert files.latest("a").sha256 == files.latest("b").sha256


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "a", v1="rule: R98\nn: two\n")
    write(tmp_path, "b", v1="rule: R99\nrule: R99\n")
    write(tmp_path, "c", notes="x")
    write(tmp_path, "d")
    (tmp_path / "e").mkdir()
    told = "\n".join(problems(tmp_path))
    for place in (
        "a/v1.yaml: rule",
        "a/v1.yaml: n",
        "b/v1.yaml",
        "c/notes.yaml",
        "d: no version",
        "e/schema.json",
    ):
        assert place in told


def test_no_policy_at_all(tmp_path: Path) -> None:
    assert "no policy found" in problems(tmp_path / "nowhere")[0]


def test_the_words_of_r03(tmp_path: Path) -> None:
    """The work apps that the rule names are on the default list, and no package name is made up for them."""
    body = PolicyFiles(ROOT / "policies").latest("allowlist").body
    assert list(body["apps"]) == [
        "微信",
        "爱家微社区",
        "爱家金钥匙",
        "爱家项目看板",
        "助这儿",
        "易企秀",
        "水印相机",
    ]
    assert {label for label, app in body["apps"].items() if app["package"]} == {"微信"}


class TestShapesOfOldAndModels:
    """`vN.schema.json`, `x-formerly` and `x-patches`."""

    SCHEMA: ClassVar = {
        "type": "object",
        "additionalProperties": False,
        "required": ["rule", "limit", "models"],
        "x-formerly": {"n": "limit.most"},
        "x-patches": "models",
        "properties": {
            "rule": {"const": "R99"},
            "limit": {
                "type": "object",
                "required": ["most"],
                "properties": {"most": {"type": "integer", "maximum": 9}},
            },
            "models": {"type": "object"},
        },
    }
    BODY = "rule: R99\nlimit: {most: 5}\nmodels: {}\n"

    def made(self, directory: Path, **files: str) -> PolicyFiles:
        (directory / "a").mkdir()
        (directory / "a" / "schema.json").write_text(json.dumps(self.SCHEMA))
        for name, text in {"v2.yaml": self.BODY, **files}.items():
            (directory / "a" / name).write_text(text)
        return PolicyFiles(directory)

    def test_an_older_version_has_its_own_schema(self, tmp_path: Path) -> None:
        old = {"v1.yaml": "rule: R99\nn: 2\n", "v1.schema.json": json.dumps(SCHEMA)}
        files = self.made(tmp_path, **old)
        assert files.version("a", 1).body == {"rule": "R99", "n": 2}
        assert files.latest("a").version == 2

    @pytest.mark.parametrize("name", ["v2.schema.json", "v7.schema.json"])
    def test_a_schema_that_belongs_to_no_older_version(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(PolicyError, match="belongs to no older version"):
            self.made(tmp_path, **{name: json.dumps(SCHEMA)})

    def test_an_older_version_that_does_not_fit_its_own_schema(self, tmp_path: Path) -> None:
        with pytest.raises(PolicyError, match=r"a/v1\.yaml: n:"):
            self.made(tmp_path, **{"v1.yaml": "rule: R99\nn: two\n", "v1.schema.json": json.dumps(SCHEMA)})

    def test_layers_for_an_older_version_go_on(self, tmp_path: Path) -> None:
        files = self.made(tmp_path)
        first, second = ({"n": 7}, {"limit": {"least": 1}})
        made = files.overlay("a", [(uuid.uuid4(), first), (uuid.uuid4(), second)])
        assert made.body["limit"] == {"most": 7, "least": 1}
        assert files.problems_over("a", [{"n": 10}]) == ["limit.most: 10 is greater than the maximum of 9"]
        assert files.renewed("a", second) == second

    def test_each_patch_must_leave_the_policy_fit(self, tmp_path: Path) -> None:
        files = self.made(tmp_path)
        models = {"x": {"limit": {"most": 9}}, "x/one": {"limit": {"most": 10}}, "y": {"limit": None}}
        assert files.problems_over("a", [{"models": models}]) == [
            "models.x/one: limit.most: 10 is greater than the maximum of 9",
            "models.y: (whole): 'limit' is a required property",
        ]
        fault = files.faults_of("a", {"rule": "R99", "limit": {"most": 1}, "models": {"x": {"more": 1}}})[0]
        assert (fault.patch, fault.path, fault.rule) == ("models.x", (), "additionalProperties")

    def test_a_brands_patch_lies_under_its_models(self) -> None:
        models = {"x": {"limit": {"most": 2, "least": 1}}, "x/one": {"limit": {"most": 3}}}
        body = {"limit": {"most": 5}, "models": models}
        assert patched(body, "models", "x/one")["limit"] == {"most": 3, "least": 1}
        assert patched(body, "models", "x/two")["limit"] == {"most": 2, "least": 1}
        assert patched(body, "models", "z/one") == {"limit": {"most": 5}, "models": {}}


def test_layers_of_the_first_allow_list_go_on() -> None:
    """What centres wrote before there was a second version."""
    files = PolicyFiles(ROOT / "policies")
    layers = [
        {"apps": {"助这儿": {"package": "com.x.y"}, "易企秀": None}, "installers": ["com.xiaomi.market"]},
        {"work_user": 10, "judge_inactive": True, "forbidden": {"com.smile.gifmaker": None}},
    ]
    assert files.problems_over("allowlist", layers) == []
    body = files.overlay("allowlist", [(uuid.uuid4(), layer) for layer in layers]).body
    assert body["installers"]["allowed"] == ["com.xiaomi.market"]
    assert body["installers"]["by_hand"] == files.latest("allowlist").body["installers"]["by_hand"]
    assert (body["users"]["work"], body["judge_inactive"]) == (10, True)
    assert files.version("allowlist", 1).body["installers"] is None


@pytest.mark.parametrize(
    "layer",
    [
        {"models": {"Xiaomi": {"silent_hours": 5}}},
        {"models": {"xiaomi": {"severity": {"app_forbidden": "low"}}}},
        {"models": {"xiaomi": {"users": {"work": -1}}}},
        {"models": {"xiaomi/M1": {"apps": {"微信": {"package": "not a package"}}}}},
        {"presets": {"xiaomi": {"*": {"x": "甲"}}}},
        {"severity": {"app_forbiden": "low"}},
        {"severity": {"app_forbidden": None}},
        {"grace_hours": {"high": -1}},
        {"apps": {"微信": {"least_version": 0}}},
        {"apps": {"微信": {"signer": "xyz"}}},
        {"settings": {"lock_screen": "off"}},
        {"security": {"patch_months": 0}},
        {"returns_days": -1},
        {"returns_days_of": {"airplane_mode_on": -1}},
        {"returns_days_of": {"airplane_mode": 0}},
    ],
)
def test_what_the_allow_list_refuses(layer: dict[str, Any]) -> None:
    assert PolicyFiles(ROOT / "policies").problems_over("allowlist", [layer])


def test_what_a_layer_may_take_away() -> None:
    """A merge patch can only remove: what may be null must be absent as well."""
    layer = {
        "installers": {"allowed": None},
        "accounts": {"allowed": None},
        "settings": {"accessibility": {"allowed": None}},
        "security": {"patch_months": None, "free_percent": None, "free_mb": None},
        "apps": {"微信": {"package": None}},
        "returns_days_of": {"airplane_mode_on": None},
    }
    assert PolicyFiles(ROOT / "policies").problems_over("allowlist", [layer]) == []


def test_without_a_database_the_command_says_what_to_run(tmp_path: Path) -> None:
    environ = {"BUTLER_ENV": "test", "BUTLER_VAR_DIR": str(tmp_path / "v")}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "policies", "check"]
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "uptime v1 sha256:" in ended.stdout
    assert "flask --app wsgi db upgrade" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_faulty_file_stops_the_command_with_exit_1(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    write(tmp_path / "p", "a", v1="rule: R98\nn: two\n")
    environ = {
        "BUTLER_ENV": "test",
        "BUTLER_VAR_DIR": str(tmp_path / "v"),
        "BUTLER_POLICY_DIR": str(tmp_path / "p"),
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "policies", "check"]
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    assert "a/v1.yaml: rule" in ended.stderr
    assert "a/v1.yaml: n" in ended.stderr
