"""Policy files: the delivered ones are sound, and a faulty one is told with all its faults."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.policy import PolicyError, PolicyFiles

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
