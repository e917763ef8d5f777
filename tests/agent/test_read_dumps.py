"""`agent read`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.main import main

CORPUS = Path(__file__).parent / "parsers" / "corpus"


def read(*words: str | Path) -> int:
    return main(["read", *map(str, words)])


def test_a_file_of_which_all_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    assert read(CORPUS / "getprop_13.txt") == 0
    said = capsys.readouterr().out
    assert "系统属性 getprop：18 行，读懂 16，已知无用 2，未读懂 0" in said
    assert "    启动校验：green\n    引导程序已锁：是\n" in said
    assert said.endswith("合计 18 行，未读懂 0 行\n")


def test_lines_that_are_not_understood_are_listed_by_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert read(CORPUS / "package_12.txt") == 8
    assert "    第 32 行未读懂：    vendorLabel=记事\n" in capsys.readouterr().out


def test_reasons_and_empty_lists_are_told_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    read(CORPUS / "getprop_cut.txt", CORPUS / "device_policy_7.txt")
    said = capsys.readouterr().out
    assert "启动校验：未能读取：手机的属性互相矛盾" in said
    assert "系统版本类型：user debug" in said
    assert "设备所有者：无" in said


def test_many_unread_lines_are_cut_unless_all_are_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.txt"
    file.write_text("厂商\n" * 30, encoding="utf-8")
    assert read(file) == 8
    assert "还有 10 行未读懂" in capsys.readouterr().out
    assert read("--all", file) == 8
    said = capsys.readouterr().out
    assert "第 30 行未读懂" in said
    assert "还有" not in said


def test_json_of_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert read("--json", CORPUS) == 8
    told = json.loads(capsys.readouterr().out)
    assert [Path(file["file"]).name for file in told["files"]] == sorted(p.name for p in CORPUS.iterdir())
    assert told["lines"] == sum(part["lines"] for file in told["files"] for part in file["parts"])
    assert told["unread"] == sum(len(part["unread"]) for file in told["files"] for part in file["parts"])
    policy = next(file for file in told["files"] if file["file"].endswith("device_policy_14.txt"))
    (part,) = policy["parts"]
    assert part["facts"]["device_owner"] == {"value": "com.example.mdm"}
    assert part["unread"][0] == {"line": 29, "text": "      Receiver:"}


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert read(CORPUS / "nothing.txt") == 2
    assert "读不了文件" in capsys.readouterr().err


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("agent.read_dumps._LARGEST", 3)
    file = tmp_path / "x"
    file.write_bytes(b"1234")
    assert read(file) == 2
    assert "超过" in capsys.readouterr().err
