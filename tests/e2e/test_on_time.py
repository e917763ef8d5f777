"""R02 live, from the wire to the money: a month of known truth on a fake clock, with a gateway killed and the server
restarted in between. Allowances must come out as the truth says.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from app.duty.delegations import Wanted, accept, propose
from app.incidents import export_trace, month_rulings
from app.kernel.clock import FixedClock
from app.kernel.tenancy import SYSTEM, Principal
from app.reports.code_service import make_missing, report_code
from app.runtime import runtime
from app.uptime import limits_of
from app.uptime.dossier import read_trace
from app.uptime.replay import replay
from tests.app.conftest import Caller
from tests.support.month import Phone, World, at, settle_in
from tests.support.site import NOT_REACHED

ZHANG, LI, WANG, ZHAO, SUN = "张三", "李四", "王五", "赵六", "孙八"
PAID, CANCELLED = 5000, 0


@pytest.fixture
def world(make_app: Callable[..., Flask], database_url: str, clock: FixedClock) -> World:
    clock.set(at("11-01 00:05"))
    made = World(make_app, database_url, clock, make_app(database_url))
    made.tokens["admin"] = made.app.extensions["butler"].access_token
    settle_in(made, [ZHANG, LI, WANG, ZHAO, SUN])
    made.user("lead", "lead")
    made.user("desk", "operations")
    made.user("finance", "finance")
    for name in (WANG, ZHAO, SUN):
        made.user(name, "butler", made.phones[name].employee)
    return made


def dial(world: World, name: str, result: str) -> None:
    """The desk calls the number of somebody's post and taps what it heard."""
    phone = world.phones[name]
    world.post("/dialling/calls", {"handset_id": phone.handset}, "desk")
    calls = world.get("/dialling/calls", "desk")["items"]
    (call,) = [c for c in calls if c["handset_id"] == phone.handset and c["state"] == "open"]
    heard = {"number_id": phone.number, "result": result}
    world.post(f"/dialling/calls/{call['id']}/result", heard, "desk")
    world.jobs()


def customer_reports(world: World, name: str, room: str) -> None:
    """A customer fills in the form behind the post's code; the desk confirms the household."""
    phone = world.phones[name]
    home = {"centre_id": world.centre, "grid_id": phone.grid, "room": room}
    household = world.post("/households", home)["id"]
    with world.session() as session:
        make_missing(session, SYSTEM, uuid.UUID(world.centre), world.clock.now())
        code = report_code(session, uuid.UUID(phone.post))
    world.app.test_client_class = Caller
    form = {"_idempotency_key": uuid.uuid4().hex, "room": room, "said": "打不通", "when": "now"}
    answer = world.app.test_client().post(f"/r/{code}", data=form)
    assert answer.status_code in (302, 303), answer.get_data(as_text=True)
    world.jobs()
    (report,) = [r for r in world.get("/customer-reports", "desk")["items"] if r["state"] == "new"]
    called = {"household_id": household, "called_at": report["received_at"]}
    world.post(f"/customer-reports/{report['id']}/confirm", called, "desk")
    world.jobs()


def principal(world: World, name: str, role: str) -> Principal:
    centre, employee = uuid.UUID(world.centre), uuid.UUID(world.phones[name].employee)
    return Principal(
        str(world.users[name]), frozenset({role}), frozenset({centre}), employee, frozenset({(role, centre)})
    )


def delegate(world: World, giver: str, taker: str, start: str, end: str) -> None:
    wanted = Wanted(
        uuid.UUID(world.phones[giver].handset), uuid.UUID(world.phones[taker].post), at(start), at(end)
    )
    now = world.clock.now()
    with world.session() as session:
        asked = propose(
            session, principal(world, giver, "butler"), wanted, policies=runtime().policies, now=now
        )
        accept(session, principal(world, taker, "butler"), asked.id, now=now)


def incidents(world: World, name: str, who: str = "lead") -> list[dict[str, Any]]:
    items = world.get(f"/incidents?handset={world.phones[name].handset}", who)["items"]
    return sorted(items, key=lambda i: str(i["from"]))


def speak(world: World, who: str, act: str, incident: dict[str, Any], status: str, reason: str) -> None:
    version = world.get(f"/incidents/{incident['id']}", who)["version"]
    body = {"status": status, "reason": reason}
    world.post(f"/incidents/{incident['id']}/{act}", body, who, **{"If-Match": f'"v{version}"'})
    world.jobs()


def test_a_month_from_the_wire_to_the_money(world: World) -> None:
    phones = world.phones
    world.go(at("11-03 08:00"))

    # Li sleeps with the phone off; the desk finds it off. The gateway dies at the very contact that tells of it.
    phones[LI].off(at("11-03 22:00"), at("11-04 07:00"))
    world.go(at("11-03 22:30"))
    dial(world, LI, "powered_off")
    assert [i["status"] for i in incidents(world, LI)] == ["suspected"]
    world.go(at("11-04 09:01"))
    world.killed_and_sent_again()
    world.restart_server()
    world.jobs()
    assert [(i["kind"], i["status"], i["strikes"]) for i in incidents(world, LI)] == [("a", "confirmed", 1)]

    # Wang's battery is pulled: no mark. A customer cannot get through.
    phones[WANG].off(at("11-06 10:00"), at("11-06 14:00"), orderly=False)
    world.go(at("11-06 11:00"))
    customer_reports(world, WANG, "3-201")
    world.go(at("11-07 09:30"))
    (waits,) = incidents(world, WANG)
    assert (waits["kind"], waits["status"]) == ("b", "undecided")
    speak(world, "lead", "decide", waits, "confirmed", "当天核实：手机没电")
    assert [(i["status"], i["strikes"]) for i in incidents(world, WANG)] == [("confirmed", 1)]
    world.go(at("11-07 20:00"))
    world.post(f"/incidents/{waits['id']}/appeal", {"statement": "当天在更换电池，有维修单"}, WANG)

    # Zhang is out of reach for two days. A fair test fails, the desk is asked to call, and he answers.
    phones[ZHANG].away.append((at("11-08 10:00"), at("11-10 08:00")))
    world.go(at("11-08 14:00"))
    world.live(20)
    world.post(f"/handsets/{phones[ZHANG].handset}/probes", {}, "desk")
    world.jobs()
    (command,) = [c for c in world.contact() if c.kind == "probe"]
    world.live(10)
    told = {"id": command.id, "state": "succeeded", "age_s": 0.0, "detail": NOT_REACHED}
    world.live(5, [told])
    world.live(15)
    asked = world.get("/dialling/calls", "desk")["items"]
    assert [c["handset_id"] for c in asked if c["source"] != "drawn"] == [phones[ZHANG].handset]
    dial(world, ZHANG, "answered")
    assert incidents(world, ZHANG) == []

    # A second time for Li and for Wang, each proved by the phone's own mark and met by a call.
    for day, name in (("11-11", LI), ("11-12", WANG)):
        phones[name].off(at(f"{day} 12:00"), at(f"{day} 15:00"))
        world.go(at(f"{day} 14:00"))
        dial(world, name, "powered_off")
        world.go(at(f"{day} 17:01"))
        assert incidents(world, name)[-1]["strikes"] == 1

    # Somebody complains of Zhang, whose phone is on: the next reading refutes it.
    world.go(at("11-14 10:00"))
    customer_reports(world, ZHANG, "1-101")
    world.go(at("11-14 17:01"))
    assert [i["status"] for i in incidents(world, ZHANG)] == ["refuted"]

    # Zhao entrusts his phone to Sun for a night, in which it is off; Sun's own is off two nights later.
    world.go(at("11-15 18:00"))
    delegate(world, ZHAO, SUN, "11-15 20:00", "11-16 08:00")
    for night, morning, name in (("11-15", "11-16", ZHAO), ("11-17", "11-18", SUN)):
        phones[name].off(at(f"{night} 21:00"), at(f"{morning} 07:00"))
        world.go(at(f"{night} 22:00"))
        dial(world, name, "powered_off")
        world.go(at(f"{morning} 09:01"))

    # The server is down for ten minutes, later the gateway for half a day. Nobody is accused of anything.
    before = {name: len(incidents(world, name)) for name in phones}
    world.go(at("11-20 10:00"))
    world.live(20)
    world.clock.move(600)
    world.restart_server()
    world.live(20)
    world.clock.set(at("11-21 01:00"))
    world.up_since = world.clock.now()
    world.live(10)
    world.go(at("11-22 08:00"))
    assert {name: len(incidents(world, name)) for name in phones} == before

    # A second person believes Wang.
    speak(world, "desk", "appeal/decide", waits, "refuted", "核对维修单属实")
    assert [(i["status"], i["strikes"]) for i in incidents(world, WANG)] == [("refuted", 0), ("confirmed", 1)]

    world.go(at("12-06 00:30"))
    world.restart_server()
    world.jobs()
    _closes(world)
    _replays_alike(world)


def _closes(world: World) -> None:
    """The closing run pays as the truth says, once."""
    path = f"/allowance-sheet?centre_id={world.centre}&month=2026-11"
    sheet = world.get(path, "finance")
    assert sheet["hindrance"] is None
    wanted = {ZHANG: PAID, LI: CANCELLED, WANG: PAID, ZHAO: PAID, SUN: CANCELLED}
    assert {line["name"]: line["paid"] for line in sheet["lines"]} == wanted
    body = {"centre_id": world.centre, "month": "2026-11", "seen": sheet["sha256"]}
    world.post("/allowance-months", body, "finance")
    world.jobs()
    closed = world.get(path, "finance")
    assert {line["name"]: line["paid"] for line in closed["lines"]} == wanted
    assert {line["name"]: line["strikes"] for line in closed["lines"]} == {
        ZHANG: 0, LI: 2, WANG: 1, ZHAO: 0, SUN: 2,
    }  # fmt: skip


def _replays_alike(world: World) -> dict[str, tuple[int, str]]:
    """The trace, ruled offline, says of the month what the server says: employee → strikes, allowance."""
    handsets = [uuid.UUID(phone.handset) for phone in world.phones.values()]
    with world.session() as session:
        trace = export_trace(session, runtime().policies, handsets, world.clock.now())
        rulings = month_rulings(session, runtime().policies, uuid.UUID(world.centre), "2026-11")
        company = runtime().policies.latest("uptime").body
    gathered = read_trace(trace.splitlines(), lambda _: [])
    assert gathered.override is not None
    people = replay(gathered, limits_of({**company, **gathered.override.body()}), {})["people"]
    months = {employee: found["2026-11"] for employee, found in people.items() if "2026-11" in found}
    offline = {employee: (one["strikes"], one["allowance"]) for employee, one in months.items()}
    live = {str(employee): (one.strikes, one.allowance) for employee, one in rulings.items()}
    assert live.items() <= offline.items()
    assert all(found == (0, "payable") for e, found in offline.items() if e not in live)
    return offline


@dataclass
class _Life:
    """`off`: spans with whether the phone's own shutdown began them; `found`: when a call found it off, by span."""

    phone: Phone
    off: list[tuple[dt.datetime, dt.datetime, bool]]
    found: dict[int, list[dt.datetime]]

    def findings(self, *, provable: bool) -> list[dt.datetime]:
        """Each at least a day after the one before. `provable`: only those that the phone's own journal must prove."""
        kept: list[dt.datetime] = []
        for number, (start, end, orderly) in enumerate(self.off):
            read = {boot.id for boot in self.phone.boots[number : number + 2]} <= self.phone.read
            if provable and not (orderly and read and end - start >= dt.timedelta(minutes=10)):
                continue
            kept += [one for one in self.found[number] if not kept or one - kept[-1] >= dt.timedelta(days=1)]
        return kept


def _lives(world: World, dice: random.Random, days: int) -> dict[str, _Life]:
    lives = {}
    for name, phone in world.phones.items():
        spans, clock = [], at("11-02 00:00")
        while True:
            clock += dt.timedelta(
                minutes=round(dice.expovariate(1 / (60 * 24 * dice.choice([2, 4, 9])))) + 30
            )
            end = clock + dt.timedelta(minutes=dice.choice([1, 5, 30, 300, dice.randint(10, 2000)]))
            if end >= at("11-02 00:00") + dt.timedelta(days=days):
                break
            orderly = dice.random() < 0.8
            phone.off(clock, end, orderly=orderly)
            spans.append((clock, end, orderly))
            clock = end
        for _ in range(3):
            start = at("11-02 00:00") + dt.timedelta(hours=dice.randint(0, 24 * days))
            phone.away.append((start, start + dt.timedelta(hours=dice.randint(1, 60))))
        lives[name] = _Life(phone, spans, {number: [] for number in range(len(spans))})
    return lives


@pytest.mark.parametrize("seed", range(int(os.environ.get("BUTLER_PROVE_MONTHS", "1"))))
def test_lives_of_any_kind(world: World, seed: int) -> None:
    """Nobody loses the allowance who was not found off twice; whoever was, by calls that his phone confirms, does."""
    dice, days = random.Random(seed), 8 if seed == 0 else 26
    lives = _lives(world, dice, days)
    for day in range(days):
        for hour in sorted(dice.sample(range(8, 21), 2)):
            world.go(at("11-02 00:00") + dt.timedelta(days=day, hours=hour, minutes=dice.randint(0, 59)))
            name, now = dice.choice(list(lives)), world.clock.now()
            on = lives[name].phone.running(now) is not None
            dial(world, name, dice.choice(["answered", "rings", "no_coverage"]) if on else "powered_off")
            for number, (start, end, _) in enumerate(lives[name].off):
                if start <= now < end:
                    lives[name].found[number].append(now)
        if dice.random() < 0.3:
            world.killed_and_sent_again()
        if dice.random() < 0.2:
            world.restart_server()
    world.go(at("12-06 00:30"))
    world.jobs()
    ruled = _replays_alike(world)
    for life in lives.values():
        strikes, allowance = ruled[life.phone.employee]
        assert strikes <= len(life.findings(provable=False))
        if allowance == "cancelled":
            assert len(life.findings(provable=False)) >= 2
        if len(life.findings(provable=True)) >= 2:
            assert allowance == "cancelled"
