"""The chain as people look at it, and which acts it offers to whom."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest

from app.kernel.tenancy import Principal
from app.wipe.chain_rules import COLOURS, chain, reached, since
from app.wipe.model import Wipe
from app.wipe.rights import acts_of
from app.wipe.states import State
from app.wipe.ticking import count, groups

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
CENTRE = uuid.uuid4()
S = State


def at(hours: int) -> dt.datetime:
    return NOW + dt.timedelta(hours=hours)


def wipe(state: str, **changes: Any) -> Wipe:
    row = Wipe(
        centre_id=CENTRE,
        state=state,
        strategy="test_harness",
        created_by="u-it",
        created_at=at(0),
        updated_at=at(20),
    )
    row.asked_by_lead = False
    steps = {
        "requested_at": at(1), "requested_by": "u-it", "approved_at": at(2), "approved_by": "u-lead",
        "arms_at": at(6), "released_at": at(7), "released_by": "u-it2", "done_by": "agent", "ordered_at": at(7),
        "acknowledged_at": at(8), "silent_at": at(9), "inspected_at": at(10), "verified_at": at(11),
        "verified_by": "u-lead2", "ended_at": at(12),
    }  # fmt: skip
    for name, value in {**steps, **changes}.items():
        setattr(row, name, value)
    return row


NEVER = dict.fromkeys(
    (
        "requested_at", "approved_at", "arms_at", "released_at", "ordered_at", "acknowledged_at", "silent_at",
        "inspected_at", "verified_at",
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("state", "behind"),
    [
        (S.DRAFT, 0), (S.REQUESTED, 2), (S.APPROVED, 3), (S.ARMED, 4), (S.QUEUED, 4), (S.DELIVERED, 5),
        (S.ACKNOWLEDGED, 6), (S.SILENT, 6), (S.INSPECTED, 7), (S.VERIFIED, 8), (S.CERTIFIED, 9), (S.FAILED, 7),
        (S.UNVERIFIED, 6),
    ],
)  # fmt: skip
def test_the_links_behind_each_state(state: State, behind: int) -> None:
    links = chain(wipe(state))
    assert len(links) == 9
    assert [link.place for link in links] == ["over"] * behind + ["now"] * (behind < 9) + ["ahead"] * (
        8 - behind
    )
    assert reached(wipe(state)) == behind
    assert all(link.at is None and not link.by for link in links if link.place != "over")


@pytest.mark.parametrize("state", [S.SILENT, S.INSPECTED, S.FAILED, S.UNVERIFIED])
def test_that_android_took_the_order_is_not_claimed_when_nobody_said_so(state: State) -> None:
    links = {link.name: link for link in chain(wipe(state, acknowledged_at=None))}
    assert links["手机接受指令"].place == "untold"


def test_who_and_when() -> None:
    links = {link.name: link for link in chain(wipe(S.VERIFIED, second_at=at(3), second_by="u-lead3"))}
    assert links["另一人批准"].by == ("u-lead", "u-lead3")
    assert links["另一人批准"].at == at(3)
    assert links["第二人确认"].by == ("u-lead2",)


@pytest.mark.parametrize(("changes", "behind"), [(NEVER, 0), ({**NEVER, "requested_at": at(1)}, 2)])
@pytest.mark.parametrize("state", [S.CANCELLED, S.EXPIRED])
def test_what_ended_early_has_only_the_links_that_it_reached(
    state: State, changes: dict[str, Any], behind: int
) -> None:
    assert reached(wipe(state, **changes)) == behind
    assert since(wipe(state, **changes)) == at(12)


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_its_colour_and_its_instant(state: State) -> None:
    assert COLOURS[state] in ("good", "bad", "unknown", "busy", "quiet")
    assert since(wipe(state)) <= at(20)
    assert since(wipe(state, **NEVER, ended_at=None)) <= at(20)


def who(role: str, user: str) -> Principal:
    return Principal(user, frozenset({role}), frozenset({CENTRE}), rights=frozenset({(role, CENTRE)}))


@pytest.mark.parametrize(
    ("state", "role", "user", "acts"),
    [
        (S.DRAFT, "it", "u-it", {"fill", "request", "cancel"}),
        (S.DRAFT, "auditor", "u-a", set()),
        (S.REQUESTED, "it", "u-it", {"withdraw", "cancel"}),
        (S.REQUESTED, "it", "u-other", {"cancel"}),
        (S.REQUESTED, "lead", "u-lead", {"withdraw", "cancel", "refuse"}),
        (S.REQUESTED, "lead", "u-lead2", {"withdraw", "cancel", "refuse", "approve"}),
        (S.REQUESTED, "operations", "u-ops", {"cancel", "refuse"}),
        (S.APPROVED, "it", "u-it", {"withdraw", "cancel"}),
        (S.ARMED, "it", "u-it", {"withdraw", "cancel", "release", "guide"}),
        (S.ARMED, "it", "u-lead", {"cancel"}),
        (S.ARMED, "lead", "u-lead2", {"withdraw", "cancel"}),
        (S.QUEUED, "it", "u-it2", {"recall", "cancel"}),
        (S.QUEUED, "operations", "u-ops", {"cancel"}),
        (S.DELIVERED, "it", "u-it2", set()),
        (S.SILENT, "lead", "u-lead", set()),
        (S.FAILED, "lead", "u-lead", {"retry"}),
        (S.FAILED, "it", "u-it", set()),
        (S.CERTIFIED, "lead", "u-lead", set()),
    ],
)
def test_what_is_offered(state: State, role: str, user: str, acts: set[str]) -> None:
    assert acts_of(who(role, user), wipe(state)) == acts


def test_by_hand_only_who_began_reports() -> None:
    row = wipe(S.DELIVERED, done_by="hand")
    assert acts_of(who("it", "u-it2"), row) == {"report"}
    assert acts_of(who("it", "u-it"), row) == set()
    assert acts_of(who("it", "u-it"), wipe(S.ARMED, strategy="guided")) == {"withdraw", "cancel", "guide"}


def test_of_another_centre_nothing() -> None:
    stranger = Principal("u-x", frozenset({"it", "lead"}), None, rights=frozenset({("it", uuid.uuid4())}))
    assert acts_of(stranger, wipe(S.DRAFT)) == set()


@pytest.mark.parametrize(
    ("strategy", "brand", "words"),
    [
        ("guided", "Redmi", "恢复出厂设置"),
        ("test_harness", "HUAWEI", "系统和更新"),
        ("device_owner", "vivo", "管理平台上按序列号"),
        ("guided", "Nokia", "重置选项"),
    ],
)
def test_what_is_ticked_off_follows_brand_and_way(strategy: str, brand: str, words: str) -> None:
    row = wipe(S.DELIVERED, strategy=strategy, brand=brand)
    steps = [step for _, group in groups(row) for step in group]
    assert any(words in step.text for step in steps)
    assert count(row) == len(steps) > 2


@pytest.mark.parametrize("by_lead", [True, False])
def test_nobody_is_offered_to_decide_on_his_own_request(by_lead: bool) -> None:
    row = wipe(S.REQUESTED, requested_by="u-lead2", approved_by=None)
    row.asked_by_lead = by_lead
    assert acts_of(who("lead", "u-lead2"), row) == {"withdraw", "cancel"}
    assert ("approve" in acts_of(who("operations", "u-ops"), row)) is by_lead
