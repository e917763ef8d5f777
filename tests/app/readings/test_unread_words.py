"""Reasons of agents, in Chinese."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.readings import reason_words

AGENT = Path(__file__).resolve().parents[3] / "agent"
PART_OF_SNAPSHOT = [*AGENT.glob("snapshot*.py"), *(AGENT / "parsers").glob("*.py")]
TOLD = re.compile(r'(?:Unreadable\(|note\((?:"[^"]*"|f"[^"]*"|\w+), )"([^"{]+)"')


def test_each_reason_that_a_snapshot_gives_has_chinese_words() -> None:
    reasons = {reason for file in PART_OF_SNAPSHOT for reason in TOLD.findall(file.read_text("utf-8"))}
    assert len(reasons) > 20
    assert sorted(reason for reason in reasons if reason_words(reason) == reason) == []


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("permission denied", "手机不允许读取"),
        ("the command failed (137)", "手机上的命令失败（137）"),
        ("the phone's error: DeadObjectException", "手机报错：DeadObjectException"),
        ("missing for 3 of 120 packages", "120 个应用里有 3 个没有读到"),
        ("what a newer agent says", "what a newer agent says"),
        ("", ""),
    ],
)
def test_reasons_with_something_in_them_and_unknown_ones(reason: str, words: str) -> None:
    assert reason_words(reason) == words
