"""Every finding has a short name and a word on what to do; what may be exempted are the breaches of policy."""

from __future__ import annotations

import pytest

from app.compliance.advice import ADVICE, advice_for
from app.compliance.board_rules import SEVERITIES, STATUSES
from app.compliance.exemption_rules import EXEMPTABLE, PHONE_ONLY
from app.compliance.finding_rules import Status
from app.compliance.finding_words import SEVERITY, STATUS, TITLES, subject_words
from app.compliance.texts import TEXTS

PASSED = {"accounts_ok", "only_prescribed_apps", "required_present", "security_ok", "settings_ok"}
LABELS = {"com.a": "甲"}


def test_every_finding_has_a_name_and_what_is_no_pass_has_advice():
    assert set(TITLES) == set(TEXTS)
    assert set(ADVICE) == set(TEXTS) - PASSED
    assert set(STATUS) == set(Status)
    assert (*STATUSES, "exempt") == ("fail", "unknown", "grace", "pass", "exempt")
    assert tuple(SEVERITY) == SEVERITIES


def test_what_may_be_exempted_is_what_policy_gives_a_severity(app):
    assert set(app.extensions["butler"].policies.latest("allowlist").body["severity"]) == EXEMPTABLE
    assert PHONE_ONLY < EXEMPTABLE


@pytest.mark.parametrize(
    ("status", "told"),
    [("fail", True), ("grace", True), ("unknown", True), ("pass", False), ("exempt", False)],
)
def test_nothing_is_to_be_done_about_what_passes_or_is_exempted(status, told):
    assert (advice_for("app_forbidden", status) is not None) is told
    assert (advice_for("of_a_later_version", status) is not None) is told


@pytest.mark.parametrize(
    ("subject", "label", "words"),
    [
        ("com.a", "乙", "乙"),
        ("com.a", None, "甲"),
        ("com.b", 7, "com.b"),
        ("com.a@10", "", "甲，用户空间 10（第二空间、访客或工作资料）"),
        ("com.b@999", "", "com.b，用户空间 999（应用分身）"),
        ("com.a@999", "乙", "乙，用户空间 999（应用分身）"),
        ("150", "", "150（安全文件夹）"),
        ("name@example", "", "name@example"),
        ("com.a/.Service", "", "甲（com.a/.Service）"),
        ("com.b/.Service", "", "com.b/.Service"),
        ("", "", ""),
    ],
)
def test_what_a_finding_is_about(subject, label, words):
    assert subject_words(subject, label, LABELS) == words
