"""What changes a verdict without another list of apps: time, storage, airplane mode, exemptions, the policy."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.compliance import (
    Stale,
    Status,
    changed_since,
    judge_as,
    make_due,
    rejudge,
    stale_counts,
    verdicts,
    wanted,
)
from app.compliance.exemption_model import ComplianceExemption
from app.compliance.exemption_states import State
from app.compliance.model import ComplianceChange, ComplianceVerdict
from app.compliance.service import BATCH, rejudge_due
from app.kernel.clock import FixedClock
from app.kernel.tenancy import SYSTEM, Principal
from app.registry import Handset, HandsetRef
from tests.app.compliance.healthy import IDENTITY, OWNER, REST, SECURITY, SETUP, STORAGE
from tests.app.compliance.healthy import app as package
from tests.app.compliance.sending import BAD, HOUR, NAMES, WORK, Phones, changes, layer
from tests.app.conftest import ON_SQLITE, START, Org

DAY = 24 * HOUR
STRANGER = package("com.xunmeng.pinduoduo")


@pytest.fixture(autouse=True)
def named(phones: Phones, org: Org) -> None:
    layer(phones.session, phones.files, org.centre, {"apps": NAMES})


def due(phones: Phones, phone: HandsetRef) -> dt.datetime | None:
    return phones.session.scalar(
        select(ComplianceVerdict.due_at).where(ComplianceVerdict.handset_id == phone.id)
    )


def status(phones: Phones, phone: HandsetRef, at: dt.datetime) -> tuple[int, str]:
    return rejudge(phones.session, phones.files, at), phones.verdict(phone).status.value


@ON_SQLITE
def test_a_grace_ends_by_time_alone(phones: Phones, phone: HandsetRef) -> None:
    phones.send(phone, START, [*WORK, STRANGER])
    finding = phones.verdict(phone).findings[0]
    assert (finding.status, finding.severity, finding.grace_until) == (
        Status.GRACE,
        "medium",
        START + 72 * HOUR,
    )
    assert due(phones, phone) == START + 72 * HOUR
    phones.send(phone, START + 70 * HOUR, [*WORK, STRANGER])
    assert status(phones, phone, START + 72 * HOUR - HOUR) == (0, "grace")
    assert status(phones, phone, START + 72 * HOUR) == (1, "fail")
    assert changes(phones.session) == ["grace", "fail"]
    finding = phones.verdict(phone).findings[0]
    assert (finding.first_seen, finding.last_seen) == (START, START + 70 * HOUR)


@ON_SQLITE
def test_a_label_stands_beside_an_app_that_is_on_no_list(phones: Phones, phone: HandsetRef) -> None:
    phones.send(phone, START, [*WORK, STRANGER])
    assert phones.verdict(phone).findings[0].zh == "安装了规定以外的应用“拼多多”（com.xunmeng.pinduoduo）"


@ON_SQLITE
def test_a_silent_phone_is_unknown_until_it_is_read_again(phones: Phones, phone: HandsetRef) -> None:
    phones.send(phone, START, WORK)
    assert due(phones, phone) == START + 72 * HOUR
    assert status(phones, phone, START + 72 * HOUR) == (1, "unknown")
    assert due(phones, phone) == START + 73 * HOUR
    phones.send(phone, START + 80 * HOUR, WORK)
    assert phones.verdict(phone).status is Status.PASS
    assert due(phones, phone) == START + 152 * HOUR


@ON_SQLITE
def test_readings_keep_a_phone_from_falling_silent(phones: Phones, phone: HandsetRef) -> None:
    phones.send(phone, START, WORK)
    phones.send(phone, START + 71 * HOUR, WORK)
    assert status(phones, phone, START + 72 * HOUR) == (1, "pass")
    assert due(phones, phone) == START + 143 * HOUR


@ON_SQLITE
def test_a_proved_breach_outlasts_silence(phones: Phones, phone: HandsetRef) -> None:
    phones.send(phone, START, [*WORK, BAD])
    assert status(phones, phone, START + 90 * HOUR) == (1, "fail")
    assert {f.code for f in phones.verdict(phone).findings} >= {"silent", "app_forbidden"}


@ON_SQLITE
def test_airplane_mode_alone_judges_anew(phones: Phones, phone: HandsetRef) -> None:
    phones.send(phone, START, WORK)
    phones.send(phone, START + HOUR, WORK, airplane=True)
    assert phones.verdict(phone).findings[0].code == "airplane_mode_on"
    phones.send(phone, START + 2 * HOUR, WORK)
    assert phones.verdict(phone).status is Status.PASS


def test_free_bytes_judge_only_where_they_count(phones: Phones, phone: HandsetRef) -> None:
    phones.send(phone, START, WORK)
    phones.session.execute(update(ComplianceVerdict).values(policy_version=99))
    phones.send(phone, START + HOUR, WORK, storage=STORAGE | {"data_free_bytes": 31 * 2**30})
    assert phones.verdict(phone).policy_version == 99
    phones.send(phone, START + HOUR, WORK, storage=STORAGE | {"data_free_bytes": 2**20})
    assert phones.verdict(phone).policy_version == 2
    assert phones.verdict(phone).findings[0].code == "storage_low"
    phones.send(phone, START + HOUR + HOUR, WORK, storage=STORAGE)
    assert phones.verdict(phone).status is Status.PASS


@pytest.mark.parametrize(
    ("section", "data", "code"),
    [
        ("setup", SETUP | {"lock_screen": "none"}, "no_screen_lock"),
        ("security", SECURITY | {"verified_boot": "orange"}, "loader_unlocked"),
        ("identity", IDENTITY | {"security_patch": "2020-01-01"}, "patch_too_old"),
        ("users", [*OWNER, {"id": 10, "name": "x", "running": False}], "user_not_allowed"),
    ],
)
@ON_SQLITE
def test_each_section_judges_anew(
    phones: Phones, phone: HandsetRef, section: str, data: Any, code: str
) -> None:
    phones.send(phone, START, WORK)
    phones.send(phone, START + HOUR, WORK, **{section: data})
    verdict = phones.verdict(phone)
    assert code in {f.code for f in verdict.findings if f.status is not Status.PASS}
    assert verdict.changed_at == START + HOUR


@ON_SQLITE
def test_accounts_that_the_centre_names(phones: Phones, phone: HandsetRef, org: Org) -> None:
    layer(phones.session, phones.files, org.centre, {"apps": NAMES, "accounts": {"allowed": []}}, version=1)
    phones.send(phone, START, WORK, accounts=[{"user": 0, "type": "com.xiaomi", "name_hmac": None}])
    assert phones.verdict(phone).findings[0].subject == "com.xiaomi@0"


def test_a_phone_that_was_never_read_is_on_the_list(phones: Phones, phone: HandsetRef) -> None:
    assert status(phones, phone, START) == (1, "unknown")
    assert [f.code for f in phones.verdict(phone).findings] == ["never_read"]
    assert rejudge(phones.session, phones.files, START + HOUR / 2) == 0
    assert rejudge(phones.session, phones.files, START + HOUR) == 1
    phones.send(phone, START + HOUR, WORK)
    assert phones.verdict(phone).status is Status.PASS


def test_a_phone_out_of_service_is_left_alone(phones: Phones, phone: HandsetRef) -> None:
    phones.session.execute(update(Handset).values(retired_at=START))
    assert rejudge(phones.session, phones.files, START) == 0


def test_an_exemption_covers_and_ends(phones: Phones, phone: HandsetRef, org: Org) -> None:
    phones.send(phone, START, [*WORK, BAD])
    assert phones.verdict(phone).status is Status.FAIL
    given = ComplianceExemption(
        centre_id=org.centre, handset_id=phone.id, code="app_forbidden", subject=BAD["name"], reason="拍摄宣传",
        state=State.APPROVED, valid_from=START, valid_to=START + 2 * DAY, requested_by="a", requested_at=START,
        decided_by="b", decided_at=START,
    )  # fmt: skip
    phones.session.add(given)
    phones.session.flush()
    make_due(phones.session, handset_ids=[phone.id])
    assert status(phones, phone, START + HOUR) == (1, "pass")
    finding = next(f for f in phones.verdict(phone).findings if f.code == "app_forbidden")
    assert (finding.status, finding.exempt_until, finding.exemption_id) == (
        Status.EXEMPT,
        START + 2 * DAY,
        given.id,
    )
    assert due(phones, phone) == START + 2 * DAY
    assert status(phones, phone, START + 2 * DAY) == (1, "fail")
    assert changes(phones.session) == ["fail", "pass", "fail"]


@pytest.mark.parametrize("whose", ["phone", "centre", "other", "all"])
def test_make_due(phones: Phones, phone: HandsetRef, org: Org, whose: str) -> None:
    phones.send(phone, START, WORK)
    about: dict[str, Any] = {
        "phone": {"handset_ids": [phone.id]},
        "centre": {"centre_id": org.centre},
        "other": {"centre_id": org.other_centre},
        "all": {},
    }[whose]
    make_due(phones.session, **about)
    assert rejudge(phones.session, phones.files, START) == int(whose != "other")


def test_what_changed_since(phones: Phones, phone: HandsetRef) -> None:
    phones.send(phone, START, WORK)
    phones.send(phone, START + HOUR, [*WORK, BAD])
    (row,) = changed_since(phones.session, None, None, 10)
    assert (row.handset_id, row.status, row.changed_at) == (phone.id, "fail", START + HOUR)
    assert orjson.loads(row.findings)[0]["code"] == "app_forbidden"
    assert len(changed_since(phones.session, START + HOUR, None, 10)) == 1
    assert changed_since(phones.session, row.changed_at, row.handset_id, 10) == []
    assert changed_since(phones.session, START + 2 * HOUR, None, 10) == []


class TestWantedAgainstApplied:
    def test_counts(self, phones: Phones, phone: HandsetRef, org: Org) -> None:
        def counted(principal: Principal = SYSTEM) -> dict[uuid.UUID, Stale]:
            return stale_counts(phones.session, phones.files, principal)

        assert counted() == {org.centre: Stale(0, 1, None)}
        phones.send(phone, START, WORK)
        assert counted() == {org.centre: Stale(1, 0, None)}
        layer(phones.session, phones.files, org.centre, {"apps": NAMES, "silent_hours": 5}, version=1)
        assert counted() == {org.centre: Stale(0, 1, START)}
        rejudge(phones.session, phones.files, START + HOUR)
        assert counted() == {org.centre: Stale(1, 0, None)}
        assert counted(Principal("x", frozenset({"lead"}), frozenset({org.other_centre}))) == {}

    @ON_SQLITE
    def test_a_models_patch_judges_only_its_phones_otherwise(
        self, phones: Phones, phone: HandsetRef, org: Org
    ) -> None:
        phones.send(phone, START, [*WORK, STRANGER])
        body = {"apps": NAMES, "models": {"xiaomi/M2101K9C": {"allowed": {STRANGER["name"]: "拼多多"}}}}
        layer(phones.session, phones.files, org.centre, body, version=1)
        assert status(phones, phone, START + HOUR) == (1, "pass")
        phones.send(phone, START + 2 * HOUR, [*WORK, STRANGER], identity=IDENTITY | {"model": "other"})
        assert phones.verdict(phone).status is Status.GRACE

    def test_judging_by_another_policy_writes_nothing(
        self, phones: Phones, phone: HandsetRef, org: Org
    ) -> None:
        phones.send(phone, START, [*WORK, BAD])
        policies = wanted(phones.session, phones.files, [org.centre])
        as_is = judge_as(phones.session, [phone.id], [policies], START)[phone.id][0]
        assert (as_is[0].code, as_is[0].status) == ("app_forbidden", Status.FAIL)
        file = {org.centre: phones.files.latest("allowlist")}
        as_was, as_file = judge_as(phones.session, [phone.id], [policies, file], START)[phone.id]
        assert as_was == as_is
        assert "app_maybe_prescribed" in {f.code for f in as_file}
        assert judge_as(phones.session, [phone.id], [policies, {}], START) == {}
        assert changes(phones.session) == ["fail"]


class TestTheJob:
    @contextmanager
    def transactions(self, session: Session) -> Iterator[Session]:
        self.begun = getattr(self, "begun", 0) + 1
        yield session

    def test_batch_by_batch_until_none_is_left(self, phones: Phones, phone: HandsetRef, org: Org) -> None:
        session = phones.session
        for i in range(BATCH + 3):
            stamp = {"created_at": START, "updated_at": START, "specification": {}}
            session.add(
                Handset(
                    centre_id=org.centre, asset_tag=f"T{i}", serial=f"T{i}", brand="B", model="M", **stamp
                )
            )
        session.flush()
        rests: list[float] = []
        judged = rejudge_due(
            lambda: self.transactions(session), phones.files, FixedClock(START), pause=rests.append
        )
        assert (judged, self.begun, len(rests)) == (BATCH + 4, 2, 1)
        assert session.scalar(select(func.count()).select_from(ComplianceChange)) == BATCH + 4

    @ON_SQLITE
    def test_it_stops_when_the_time_is_over(self, phones: Phones, phone: HandsetRef, org: Org) -> None:
        session = phones.session
        for i in range(BATCH + 3):
            stamp = {"created_at": START, "updated_at": START, "specification": {}}
            session.add(
                Handset(
                    centre_id=org.centre, asset_tag=f"T{i}", serial=f"T{i}", brand="B", model="M", **stamp
                )
            )
        session.flush()
        judged = rejudge_due(
            lambda: self.transactions(session),
            phones.files,
            FixedClock(START),
            budget_s=0,
            pause=lambda _: None,
        )
        assert judged == BATCH

    def test_the_scheduler_has_it(self, app: Flask) -> None:
        from app.rooms import all_jobs

        assert "rejudge_phones" in {job.name for job in all_jobs()}


@ON_SQLITE
def test_verdicts_from_before_there_was_grace_are_shown(phones: Phones, phone: HandsetRef) -> None:
    old = {"code": "app_forbidden", "subject": "com.bad", "status": "fail", "first_seen": 1_000_000,
           "evidence": {"users": [0], "version": "1", "installer": None, "label": "甲"}}  # fmt: skip
    phones.send(phone, START, WORK)
    findings = orjson.dumps([old]).decode()
    phones.session.execute(update(ComplianceVerdict).values(findings=findings, status="fail"))
    phones.session.execute(update(ComplianceChange).values(findings=findings, status="fail"))
    finding = verdicts(phones.session, SYSTEM, [phone.id])[phone.id].findings[0]
    assert (finding.zh, finding.severity, finding.grace_until) == (
        "安装了禁止的应用“甲”（com.bad）",
        None,
        None,
    )
    phones.send(phone, START + HOUR, WORK, **REST | {"setup": None}, unread=(("setup", "denied"),))
    assert phones.verdict(phone).status is Status.UNKNOWN
