"""Verdicts in the database: when they are given, what is kept, who sees them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.compliance import Status, judge, list_verdicts, rejudge, verdict_counts, verdicts
from app.compliance.model import ComplianceChange, ComplianceVerdict
from app.compliance.rules import VERDICTS
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import LayerInput, PolicyFiles, put_layer
from app.readings import AgentRef, Power, Reading, absorb
from app.registry import Handset, HandsetRef
from tests.app.compliance.healthy import OWNER, REST
from tests.app.compliance.healthy import app as package
from tests.app.conftest import START, Org
from tests.app.uptime.support import AGENT, BOOT_A, add_handset

HOUR = dt.timedelta(hours=1)
NAMES = {
    label: {"package": f"com.work.a{i}"}
    for i, label in enumerate(["爱家微社区", "爱家金钥匙", "爱家项目看板", "助这儿", "易企秀", "水印相机"])
}
WORK = [package("com.tencent.mm"), *(package(app["package"]) for app in NAMES.values())]
BAD = package("com.ss.android.ugc.aweme")


@pytest.fixture
def phone(app: Flask, org: Org) -> HandsetRef:
    return HandsetRef(add_handset(app, org.centre, "S1"), org.centre, "S1", (), False)


@pytest.fixture
def files(app: Flask) -> PolicyFiles:
    return app.extensions["butler"].policies  # type: ignore[no-any-return]


class Phones:
    """Sends readings of phones through `absorb` and `judge`, as a check-in does."""

    def __init__(self, session: Session, files: PolicyFiles) -> None:
        self.session, self.files = session, files

    def send(
        self,
        phone: HandsetRef,
        now: dt.datetime,
        packages: list[dict[str, Any]] | None,
        *,
        users: list[dict[str, Any]] | None = None,
        unread: tuple[tuple[str, str], ...] = (),
        age_us: int | None = 0,
        airplane: bool | None = False,
        **rest: Any,
    ) -> None:
        """What is not given is as it should be; a section that is None was not read."""
        sections: dict[str, Any] = {"users": users or OWNER, "packages": packages, **REST, **rest}
        sections = {name: data for name, data in sections.items() if data is not None}
        tags = {name: f"{hash(repr(data)) & 0xFFFFFFFF:032x}" for name, data in sections.items()}
        reading = Reading(
            "S1",
            "tcp:x",
            age_us,
            BOOT_A,
            1,
            60_000_000,
            "gateway",
            Power(None, None, airplane, None),
            tags,
            sections,
            unread,
        )
        agent = AgentRef(AGENT, phone.centre_id, "gateway")
        absorbed = absorb(self.session, agent, [(reading, phone)], now).absorbed
        judge(self.session, absorbed, self.files, now)

    def verdict(self, phone: HandsetRef) -> Any:
        return verdicts(self.session, SYSTEM, [phone.id])[phone.id]


@pytest.fixture
def phones(phone: HandsetRef, session: Session, files: PolicyFiles) -> Phones:
    return Phones(session, files)


def layer(
    session: Session, files: PolicyFiles, centre: uuid.UUID, body: dict[str, Any], version: int = 0
) -> None:
    entry = LayerInput("allowlist", "centre", centre, body, "包名")
    put_layer(session, SYSTEM, files, entry, expected_version=version, now=START)


def changes(session: Session) -> list[str]:
    return list(session.scalars(select(ComplianceChange.status).order_by(ComplianceChange.id)))


def test_a_phone_that_was_never_read_is_unknown(phones: Phones, phone: HandsetRef) -> None:
    verdict = phones.verdict(phone)
    assert (verdict.status, verdict.at, verdict.findings) == (Status.UNKNOWN, None, ())


def test_the_default_list_fails_nobody_for_names_that_are_not_configured(
    phones: Phones, phone: HandsetRef
) -> None:
    phones.send(phone, START, WORK)
    verdict = phones.verdict(phone)
    assert verdict.status is Status.UNKNOWN
    assert {f.code for f in verdict.findings if f.status is not Status.PASS} == {
        "package_name_not_configured",
        "app_maybe_prescribed",
    }
    assert verdict.findings[0].zh
    assert verdict.findings[0].clause == "R03"


def test_pass_fail_and_what_changed(phones: Phones, phone: HandsetRef, org: Org) -> None:
    layer(phones.session, phones.files, org.centre, {"apps": NAMES})
    phones.send(phone, START, WORK)
    first = phones.verdict(phone)
    assert (first.status, first.changed_at) == (Status.PASS, START)
    phones.send(phone, START + HOUR, [*WORK, BAD])
    second = phones.verdict(phone)
    assert (second.status, second.findings[0].first_seen) == (Status.FAIL, START + HOUR)
    kept = [f.first_seen for f in second.findings if f.code == "required_present"]
    assert kept == [START] * 7
    newer = [*WORK[:-1], WORK[-1] | {"version_code": 2}, BAD]
    phones.send(phone, START + 2 * HOUR, newer)
    third = phones.verdict(phone)
    assert (third.at, third.changed_at) == (START + 2 * HOUR, START + HOUR)
    assert third.findings[0].first_seen == START + HOUR
    assert changes(phones.session) == ["pass", "fail"]


@pytest.mark.parametrize(("days", "again"), [(7, False), (8, True)])
def test_a_breach_that_comes_back_soon_goes_on(
    phones: Phones, phone: HandsetRef, org: Org, days: int, again: bool
) -> None:
    """An app that is put away for the check and fetched back gets no new grace; after `returns_days` it does."""
    layer(phones.session, phones.files, org.centre, {"apps": NAMES})
    back = START + HOUR + dt.timedelta(days=days)
    for at, packages in ((START, [*WORK, BAD]), (START + HOUR, WORK), (back, [*WORK, BAD])):
        phones.send(phone, at, packages)
    assert phones.verdict(phone).findings[0].first_seen == (back if again else START)
    assert changes(phones.session) == ["fail", "pass", "fail"]


def test_packages_that_cannot_be_read_any_more_are_unknown(
    phones: Phones, phone: HandsetRef, org: Org
) -> None:
    layer(phones.session, phones.files, org.centre, {"apps": NAMES})
    phones.send(phone, START, [*WORK, BAD])
    phones.send(phone, START + HOUR, None, unread=(("packages", "timed out"),))
    assert phones.verdict(phone).status is Status.UNKNOWN
    phones.send(phone, START + 2 * HOUR, [*WORK, BAD])
    assert phones.verdict(phone).status is Status.FAIL


def test_a_user_that_turns_unreadable_ends_the_pass(phones: Phones, phone: HandsetRef, org: Org) -> None:
    layer(phones.session, phones.files, org.centre, {"apps": NAMES})
    phones.send(phone, START, WORK)
    phones.send(phone, START + HOUR, WORK, unread=(("packages.user.10", "SecurityException"),))
    assert phones.verdict(phone).status is Status.UNKNOWN


def test_late_and_undated_readings_judge_nothing(phones: Phones, phone: HandsetRef, org: Org) -> None:
    layer(phones.session, phones.files, org.centre, {"apps": NAMES})
    phones.send(phone, START, WORK)
    for age_us in (3_600_000_000, None):
        phones.send(phone, START, [*WORK, BAD], age_us=age_us, unread=(("packages.user.10", "x"),))
        assert phones.verdict(phone).status is Status.PASS


def test_a_reading_without_news_touches_nothing(phones: Phones, phone: HandsetRef) -> None:
    phones.send(phone, START, WORK)
    phones.session.execute(update(ComplianceVerdict).values(policy_version=99))
    phones.send(phone, START + HOUR, WORK)
    assert phones.verdict(phone).policy_version == 99


def test_another_policy_judges_anew(phones: Phones, phone: HandsetRef, org: Org) -> None:
    phones.send(phone, START, WORK)
    assert rejudge(phones.session, phones.files, START + HOUR) == 0
    layer(phones.session, phones.files, org.centre, {"apps": NAMES})
    assert rejudge(phones.session, phones.files, START + HOUR) == 1
    verdict = phones.verdict(phone)
    assert (verdict.status, verdict.changed_at) == (Status.PASS, START + HOUR)
    assert rejudge(phones.session, phones.files, START + 2 * HOUR) == 0
    layer(phones.session, phones.files, org.centre, {}, version=1)
    assert rejudge(phones.session, phones.files, START + 2 * HOUR) == 1
    assert phones.verdict(phone).status is Status.UNKNOWN


def test_a_phone_that_moved_is_judged_by_its_new_centre(phones: Phones, phone: HandsetRef, org: Org) -> None:
    layer(phones.session, phones.files, org.other_centre, {"apps": NAMES})
    phones.send(phone, START, WORK)
    phones.session.execute(update(Handset).values(centre_id=org.other_centre))
    assert rejudge(phones.session, phones.files, START + HOUR) == 1
    verdict = phones.verdict(phone)
    assert (verdict.status, verdict.centre_id) == (Status.PASS, org.other_centre)


def test_who_sees_a_verdict(phones: Phones, phone: HandsetRef, org: Org) -> None:
    phones.send(phone, START, WORK)
    stranger = Principal("x", frozenset({"lead"}), frozenset({org.other_centre}))
    assert verdicts(phones.session, stranger, [phone.id])[phone.id].at is None
    page = list_verdicts(phones.session, stranger, status=None, centre_id=None, cursor=None, limit=9)
    assert page.items == []
    assert sum(verdict_counts(phones.session, stranger).values()) == 0
    assert verdict_counts(phones.session, SYSTEM) == dict.fromkeys(VERDICTS, 0) | {Status.UNKNOWN: 1}


def test_a_phone_out_of_service_is_in_no_list(phones: Phones, phone: HandsetRef) -> None:
    phones.send(phone, START, WORK)
    phones.session.execute(update(Handset).values(retired_at=START))
    page = list_verdicts(phones.session, SYSTEM, status=None, centre_id=None, cursor=None, limit=9)
    assert page.items == []
    assert sum(verdict_counts(phones.session, SYSTEM).values()) == 0


def test_the_same_findings_by_another_policy_are_a_new_ruling(
    phones: Phones, phone: HandsetRef, org: Org
) -> None:
    """Which policy a verdict rests on must be told for each moment."""
    phones.send(phone, START, WORK)
    layer(phones.session, phones.files, org.centre, {"allowed": {"com.never.seen": "阅读器"}})
    rejudge(phones.session, phones.files, START + HOUR)
    assert phones.verdict(phone).changed_at == START + HOUR
    assert changes(phones.session) == ["unknown", "unknown"]
