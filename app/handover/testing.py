"""Live tests of a leg: what the agents read of its phones since it was asked, and where its passwords stand.

Old readings are no tests: beyond policy's minutes a result is unknown and says so.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.commands import enqueue
from app.compliance import Status, Verdict, verdicts
from app.escrow import SecretState, kit_secrets
from app.handover import store
from app.handover.items import drafted
from app.handover.live_rules import Fact, battery_fact, compliance_fact, identity_fact, power_fact, timely
from app.handover.model import Handover, HandoverLeg
from app.handover.noting import note_leg
from app.handover.proposing import handsets_of, kit_in
from app.handover.rules import UNKNOWN
from app.incidents import STATUS_WORDS, incidents_of
from app.kernel.errors import Conflict
from app.kernel.moving import change_if
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import PolicyFiles, effective
from app.readings import PhoneNow, latest_sections, phone_states
from app.registry import Handset
from app.tasks import open_tasks
from app.uptime import power_now

_READ = "read_phone"
_NO_PASS = (Status.FAIL, Status.GRACE, Status.UNKNOWN)


@dataclass(frozen=True)
class TestLine:
    """`result`: pass, fail or unknown. `at`: of the reading it is taken from. `stale`: it is too old to count."""

    __test__ = False  # no test case, whatever its name

    key: str
    label: str
    result: str
    at: dt.datetime | None
    words: str
    stale: bool
    by_hand: bool
    handset_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Matter:
    """Something about the kit or the giver that is not settled."""

    words: str
    link: str


def ask_tests(session: Session, principal: Principal, leg_id: uuid.UUID, *, now: dt.datetime) -> int:
    """Have the leg's phones read now; readings from now on are its tests. How many phones were asked."""
    _, leg = drafted(session, principal, leg_id)
    asked = 0
    for handset_id in handsets_of(store.items_of(session, leg.id)):
        try:
            enqueue(session, SYSTEM, handset_id, _READ, now=now)
        except Conflict:
            continue  # a retired phone is read by nobody: its tests stay unknown
        asked += 1
    still = Conflict("刚被别人处理了，请刷新 / look again", code="handover_state")
    change_if(session, leg, ("state", "version"), still, tests_asked_at=now)
    note_leg(session, principal.user, leg, "ask_tests", now, details={"phones": asked})
    return asked


def tests_of(
    session: Session, leg: HandoverLeg, *, policies: PolicyFiles, now: dt.datetime
) -> list[TestLine]:
    """Of each phone its identity, battery, compliance and on-time state, then the tests by hand of policy. Internal:
    the caller may see the leg.

    Of a correction the tests by hand alone: what the phone tells now, at somebody else's, says nothing of then.
    """
    body = effective(session, policies, "handover", leg.centre_id).body
    if leg.corrects_id is not None:
        return _hand_lines(session, leg, body)
    since = now - dt.timedelta(minutes=body["fresh_minutes"])
    since = max(instant for instant in (since, leg.begun_at, leg.tests_asked_at) if instant is not None)
    ids = handsets_of(store.items_of(session, leg.id))
    states = phone_states(session, SYSTEM, ids)
    found = _Found(
        states=states,
        sections=latest_sections(session, ids, ["identity"]),
        verdicts=verdicts(session, SYSTEM, ids),
        power=power_now(session, SYSTEM, ids, now, policies),
    )
    lines = []
    for handset_id in ids:
        lines += _phone_lines(session.get_one(Handset, handset_id), found, body, since)
    return lines + _hand_lines(session, leg, body)


@dataclass(frozen=True)
class _Found:
    states: Mapping[uuid.UUID, PhoneNow]
    sections: Mapping[uuid.UUID, Mapping[str, Any]]
    verdicts: Mapping[uuid.UUID, Verdict]
    power: Mapping[uuid.UUID, Any]


def _phone_lines(
    handset: Handset, found: _Found, policy: Mapping[str, Any], since: dt.datetime
) -> list[TestLine]:
    state, verdict = found.states.get(handset.id), found.verdicts[handset.id]
    read_at = state.at if state else None
    identity = found.sections.get(handset.id, {}).get("identity")
    refused = state is not None and state.identity_refused
    power = found.power[handset.id]
    facts: dict[str, tuple[str, Callable[[], Fact], dt.datetime | None]] = {
        "identity": (
            "身份与登记一致",
            lambda: identity_fact(identity, handset.serial, [i.imei for i in handset.imeis], refused=refused),
            read_at,
        ),
        "battery": (
            "电量",
            lambda: battery_fact(
                state.power.battery_percent if state else None, policy["battery_min_percent"]
            ),
            read_at,
        ),
        # A verdict stands until something changes: it is as fresh as the reading that could have changed it.
        "compliance": (
            "应用合规",
            lambda: compliance_fact(str(verdict.status), sum(f.status in _NO_PASS for f in verdict.findings)),
            read_at,
        ),
        "power": ("开机状态", lambda: power_fact(str(power.state)), power.last_proof_at),
    }
    return [_line(handset, key, label, fact, at, since) for key, (label, fact, at) in facts.items()]


def _line(
    handset: Handset,
    key: str,
    label: str,
    fact: Callable[[], Fact],
    at: dt.datetime | None,
    since: dt.datetime,
) -> TestLine:
    checked = timely(fact(), at, since)
    return TestLine(
        key=f"{key}:{handset.id}", label=f"{handset.asset_tag} {label}", result=checked.result, at=at,
        words=checked.words, stale=checked.stale, by_hand=False, handset_id=handset.id,
    )  # fmt: skip


def _hand_lines(session: Session, leg: HandoverLeg, policy: Mapping[str, Any]) -> list[TestLine]:
    done = {test.key: test for test in store.tests_of(session, leg.id)}
    lines = []
    for named in policy["hand_tests"]:
        test = done.get(named["key"])
        result, at = (test.result, test.at) if test else (UNKNOWN, None)
        words = test.words if test else "没有检测"
        lines.append(TestLine(named["key"], named["label"], result, at, words, stale=False, by_hand=True))
    return lines


def secrets_of(
    session: Session, leg: HandoverLeg, *, policies: PolicyFiles, now: dt.datetime
) -> list[SecretState]:
    """Where each password of the leg's kit stands; never what it is. Internal, as `tests_of`."""
    kit = kit_in(store.items_of(session, leg.id))
    return kit_secrets(
        session, SYSTEM, policies, handset_ids=kit.handset_ids, number_ids=kit.number_ids,
        wechat_ids=kit.wechat_ids, now=now,
    )  # fmt: skip


_OPEN_STATUS = ("suspected", "undecided")
_MOST = 50


def matters_of(session: Session, case: Handover, leg: HandoverLeg) -> list[Matter]:
    """Open tasks about the leg's phones, and what of the on-time rule is not settled there. Internal, as `tests_of`."""
    found = []
    for handset_id in handsets_of(store.items_of(session, leg.id)):
        tasks = open_tasks(session, SYSTEM, handset_id=handset_id, limit=_MOST).items
        found += [Matter(f"待办：{task.title}", task.link or "/tasks") for task in tasks]
        page = incidents_of(session, SYSTEM, statuses=_OPEN_STATUS, handset_id=handset_id, limit=_MOST)
        for incident in page.items:
            words = f"关机事件（{incident.month}）：{STATUS_WORDS[incident.status]}"
            found.append(Matter(words, f"/incidents/{incident.id}"))
    own = f"/handovers/{case.id}"
    return [matter for matter in found if matter.link != own]
