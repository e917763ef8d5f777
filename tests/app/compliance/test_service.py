"""Verdicts in the database: when they are given, what is kept, who sees them."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import update

from app.compliance import Status, list_verdicts, rejudge, verdicts
from app.compliance.model import ComplianceVerdict
from app.kernel.tenancy import SYSTEM, Principal
from app.registry import Handset, HandsetRef
from tests.app.compliance.sending import BAD, HOUR, NAMES, WORK, Phones, changes, layer
from tests.app.conftest import START, Org


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


def test_a_phone_out_of_service_is_in_no_list(phones: Phones, phone: HandsetRef) -> None:
    phones.send(phone, START, WORK)
    phones.session.execute(update(Handset).values(retired_at=START))
    page = list_verdicts(phones.session, SYSTEM, status=None, centre_id=None, cursor=None, limit=9)
    assert page.items == []


def test_the_same_findings_by_another_policy_are_a_new_ruling(
    phones: Phones, phone: HandsetRef, org: Org
) -> None:
    """Which policy a verdict rests on must be told for each moment."""
    phones.send(phone, START, WORK)
    layer(phones.session, phones.files, org.centre, {"allowed": {"com.never.seen": "阅读器"}})
    rejudge(phones.session, phones.files, START + HOUR)
    assert phones.verdict(phone).changed_at == START + HOUR
    assert changes(phones.session) == ["unknown", "unknown"]
