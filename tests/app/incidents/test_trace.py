"""One engine: what is stored of a phone's live rulings is what a replay of its exported trace says."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest
from flask import Flask

from app.incidents import export_trace, month_rulings
from app.incidents.service import Word, decide
from app.kernel.clock import to_rfc3339
from app.kernel.db import to_us
from app.kernel.errors import DomainError
from app.runtime import runtime
from app.uptime.boots import Boot, fold, from_journal, from_reading
from app.uptime.dossier import Trace
from app.uptime.replay import rfc3339
from app.uptime.trace import parse_line
from app.uptime.writing import as_json, boot_lines
from tests.app.conftest import START, Org
from tests.app.incidents.support import Phone, at, replayed, staff

US = 1_000_000


def told(phone: Phone) -> list[dict[str, Any]]:
    """The stored incidents in the replay's words."""
    found = []
    for row in phone.incidents():
        strikes = [s for s in phone.strikes() if s.incident_id == row.id]
        found.append(
            {
                "from": rfc3339(to_us(row.start_at)),
                "to": rfc3339(to_us(row.end_at)),
                "status": row.status,
                "kind": row.kind,
                "hits": len(row.hits),
                "strikes": [
                    {"at": rfc3339(to_us(s.at)), "employee": s.answers, "month": s.month} for s in strikes
                ],
            }
        )
    return sorted(found, key=lambda one: (one["from"], one["to"]))


def said(answer: dict[str, Any], phone: Phone) -> list[dict[str, Any]]:
    found = []
    for one in answer["phones"][str(phone.id)]["incidents"]:
        hits = len(one.pop("sources"))
        found.append({**one, "hits": hits})
    return sorted(found, key=lambda one: (one["from"], one["to"]))


def live(phone: Phone, org: Org, dice: random.Random) -> float:
    """A random life with evidence of it in any order; returns the hour of the last ruling."""
    phone.held_by(org.zhang, -2000, dice.choice([None, -30]))
    if dice.random() < 0.5:
        phone.delegated(org.li, dice.uniform(-90, -20), dice.uniform(-20, 0))
    acts: list[Any] = []
    hour = -120.0
    for number in range(1, dice.randint(3, 8)):
        start, end = hour, hour + dice.choice([0.1, 2, 9, 20])
        for _ in range(dice.randint(0, 3)):
            up, grade = dice.uniform(start, end), dice.choice(["gateway"] * 5 + ["self"])
            acts.append(lambda n=number, u=up, s=start, g=grade: phone.reads(n, u, s, grade=g))
        for _ in range(dice.randint(0, 2)):
            word = dice.choice(["shutdown", "shutdown", "open"])
            length = (end - start) * dice.choice([1, 1, 0.5])
            acts.append(lambda n=number, e=end, u=length, w=word: phone.journal(n, e + 0.3, u, w))
        hour = end + dice.choice([0.05, 0.3, 3, 14])
    for number in range(dice.randint(0, 6)):
        when, heard = dice.uniform(-125, 0), dice.choice(["powered_off"] * 4 + ["answered", "rings", "busy"])
        acts.append(lambda w=when, h=heard: phone.dialled(w, h))
        if dice.random() < 0.3:
            acts.append(lambda w=when, n=number: phone.reported(w + 0.01, f"1-{n}"))
    if dice.random() < 0.4:
        broken, days = dice.uniform(-120, -10), dice.uniform(1, 20)
        acts.append(lambda: phone.excused(broken, broken + days))
    dice.shuffle(acts)
    clock = 0.0
    for act in acts:
        act()
        if dice.random() < 0.4:
            clock += dice.choice([0.1, 5, 400])
            phone.settle(clock)
            _decide_one(phone, org, dice, clock)
    phone.settle(clock + 1)
    return clock + 1


def _decide_one(phone: Phone, org: Org, dice: random.Random, hour: float) -> None:
    rows = [row for row in phone.incidents() if row.status == "undecided" and row.state == "waiting"]
    if rows and dice.random() < 0.5:
        word = Word(dice.choice(["confirmed", "refuted"]), "看过证据")
        decide(
            phone.session,
            staff("lead", org, "lead"),
            rows[0].id,
            word,
            now=at(hour),
            policies=runtime().policies,
        )


@pytest.mark.parametrize("seed", range(12))
def test_random_lives_replay_alike(phone: Phone, org: Org, seed: int) -> None:
    hour = live(phone, org, random.Random(seed))
    answer = phone.replayed(hour)
    assert told(phone) == said(answer, phone)
    months = {month for row in phone.incidents() for month in [row.month]} | {"2026-11"}
    for month in months:
        stored = month_rulings(phone.session, runtime().policies, org.centre, month)
        people = {
            uuid.UUID(who): by_month[month]
            for who, by_month in answer["people"].items()
            if month in by_month and not who.startswith("holder:")
        }
        assert {who: (r.strikes, r.suspected, r.undecided, r.allowance) for who, r in stored.items()} == {
            who: (r["strikes"], r["suspected"], r["undecided"], r["allowance"]) for who, r in people.items()
        }


@pytest.mark.parametrize("seed", range(60))
def test_a_boot_as_lines_folds_into_the_same_boot(seed: int) -> None:
    dice = random.Random(seed)
    boots: list[Boot] = []
    start = 1_700_000_000 * US
    for _ in range(dice.randint(1, 6)):
        up, count = dice.randint(0, 10**9), dice.choice([None, 3, 4])
        kind = dice.random()
        if kind < 0.6:
            boots.append(from_reading("b", count, start + up + dice.randint(0, 10**8), up))
        elif kind < 0.8:
            boots.append(from_reading("b", count, None, up))
        else:
            end = dice.choice(["shutdown", "open"])
            boots.append(from_journal("b", count, up, end, start + dice.randint(0, 10**9)))  # type: ignore[arg-type]
    (boot,) = fold(boots)
    trace = Trace()
    latest = max((t for t in (boot.heard_first, boot.read_last) if t is not None), default=start)
    for line in boot_lines("A1", boot, dice.choice(["gateway", "self"]), latest):
        trace.add(parse_line(as_json(line).decode()))
    dossier = trace.phones["A1"]
    (again,) = [*dossier.boots.values(), *dossier.self_boots.values()]
    if boot.heard_first is None:
        # Nothing dates it: its lines need some instant, at which nothing is proved.
        assert again.started_earliest is None
        again = Boot(**{**{n: getattr(again, n) for n in Boot.__slots__}, "heard_first": None})
    assert again == boot


def test_the_trace_holds_ids_and_the_whole_policy(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang)
    phone.was_off(-10, -5)
    phone.dialled(-7)
    trace = export_trace(phone.session, runtime().policies, [phone.id], START)
    text = trace.decode()
    assert "张三" not in text
    assert f'"employee":"{org.zhang}"' in text
    assert '"unmet_days":30' in text
    assert text.count('"kind":"policy"') == 1
    assert trace == export_trace(phone.session, runtime().policies, [phone.id], START)
    assert replayed(trace)["phones"][str(phone.id)]["incidents"][0]["status"] == "confirmed"
    assert to_rfc3339(START)[:19] in text


def test_custody_of_the_future_is_not_in_it(phone: Phone, org: Org) -> None:
    phone.held_by(org.zhang, -100, 50)
    phone.held_by(org.li, 50)
    phone.reads(1, -1, -2)
    assert str(org.li) not in export_trace(phone.session, runtime().policies, [phone.id], START).decode()


def test_an_unknown_phone(app: Flask, phone: Phone) -> None:
    with pytest.raises(DomainError):
        export_trace(phone.session, runtime().policies, [uuid.uuid4()], START)
