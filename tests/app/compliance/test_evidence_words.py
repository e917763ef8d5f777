"""Evidence in words."""

from __future__ import annotations

import re
from pathlib import Path

from app.compliance import Finding, Status, evidence_lines, text_of

RULES = Path(__file__).resolve().parents[3] / "app" / "compliance"


def test_facts_and_reasons_are_told_in_chinese_and_what_is_not_known_as_it_is_called() -> None:
    assert evidence_lines({"reason": "permission denied", "su": True, "later": 7, "version": None}) == [
        ("原因", "手机不允许读取"),
        ("root 程序", "是"),
        ("later", "7"),
    ]
    assert evidence_lines({"kind": "device", "users": [0, 999], "judged": ["lock_screen"]}) == [
        ("管理的是", "整台设备"),
        ("用户空间", "0（机主）、999（应用分身）"),
        ("检查过的设置", "锁屏"),
    ]
    finding = Finding("user_not_inspected", "150", Status.UNKNOWN, {"reason": "permission denied"})
    assert text_of(finding)[0] == "用户空间 150（安全文件夹）没有读全（手机不允许读取），不能视为合规"


def test_each_fact_that_the_rules_write_down_has_a_name() -> None:
    found = set()
    for file in RULES.glob("*_rules.py"):
        for block in re.findall(
            r"(?:evidence[^=\n]*[=|]+ |Status\.\w+, )(\{[^}]*\})", file.read_text("utf-8")
        ):
            found |= set(re.findall(r'"(\w+)":', block))
    assert {"label", "users", "patch", "free_mb", "signer"} & found
    assert sorted(key for key in found if evidence_lines({key: 1})[0][0] == key) == []
