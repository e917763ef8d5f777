"""Registers the demo's centre, people and kits through the registry's own services; what stands is left alone."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.demo import people
from app.demo.layers import lay_layers
from app.kernel.errors import Invalid
from app.kernel.tenancy import SYSTEM
from app.policy import PolicyFiles
from app.registry import RESOURCES, create, known_id, tie, ties_of

SINCE = dt.timedelta(days=90)
"""So long the demo's posts have had their kits, and its users their rights."""
_HANDOVER_DAYS = 30
_FLOORS, _ROOMS = 3, 4


@dataclass(frozen=True)
class DemoPhone:
    """One simulated phone as the registry will know it."""

    serial: str
    brand: str
    model: str
    imeis: tuple[str, ...]
    reachable: bool


def read_phones(path: Path) -> list[DemoPhone]:
    """The phones of a simulator scenario. Raise `Invalid` for a file that is none."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["phones"]
        return [
            DemoPhone(e["serial"], e["brand"], e["model"], tuple(e["imeis"]), "fault" not in e)
            for e in entries
        ]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise Invalid(f"{path} is no scenario with phones: {type(exc).__name__} {exc}") from exc


@dataclass
class Seeder:
    """`add` and `tie_once` do nothing for what is registered, so that a second run changes nothing."""

    session: Session
    now: dt.datetime
    made: int = 0

    def add(self, resource: str, **values: Any) -> uuid.UUID:
        described = RESOURCES[resource]
        known = known_id(self.session, described, values)
        if known is not None:
            return known
        self.made += 1
        row_id: uuid.UUID = create(self.session, SYSTEM, described, values, self.now).id
        return row_id

    def tie_once(self, resource: str, subject: str, **values: Any) -> None:
        """Tie unless the subject has a tie already, be it over or not: whoever tries the demo may have changed it."""
        described = RESOURCES[resource]
        if not ties_of(self.session, described, subject, values[subject]):
            self.made += 1
            tie(self.session, SYSTEM, described, values, self.now)


@dataclass(frozen=True)
class Seeded:
    """The centre; handset and post of each kit; the phone at its service's end and the spare; what is new, counted."""

    code: str
    centre: uuid.UUID
    kits: Sequence[tuple[uuid.UUID, uuid.UUID]]
    ending: tuple[uuid.UUID, uuid.UUID] | None
    made: int


def seed(session: Session, phones: Sequence[DemoPhone], policies: PolicyFiles, now: dt.datetime) -> Seeded:
    """Of the phones that can be reached the last is at the end of its service, the one before it stays one that agents
    see and nobody registered, and before that comes a spare. None of them belongs to a post; all others do.
    """
    seeder = Seeder(session, now.replace(minute=0, second=0, microsecond=0))
    centre = _organisation(seeder)
    seeder.made += lay_layers(session, policies, centre, now)
    reachable: list[DemoPhone | None] = [p for p in phones if p.reachable]
    spare, unknown, ended = [None, None, None, *reachable][-3:]
    registered = [p for p in phones if p is not unknown][: len(people.GRIDS)]
    kits, loose = [], {}
    for place, phone in enumerate(registered):
        handset = seeder.add("handsets", centre_id=centre, **_handset(place, phone, now))
        if phone is spare or phone is ended:
            loose[phone.serial] = handset
        else:
            kits.append((handset, _post(seeder, centre, place, handset)))
    ending = (loose[ended.serial], loose[spare.serial]) if ended and spare and len(loose) == 2 else None
    return Seeded(people.CENTRE[0], centre, kits, ending, seeder.made)


def _organisation(seeder: Seeder) -> uuid.UUID:
    company = seeder.add("companies", name=people.COMPANY)
    code, name = people.DISTRICT
    district = seeder.add("districts", company_id=company, code=code, name=name)
    code, name = people.CENTRE
    centre = seeder.add("centres", district_id=district, code=code, name=name)
    seeder.add("employees", centre_id=centre, number="E0100", name=people.LEAD)
    return centre


def _handset(place: int, phone: DemoPhone, now: dt.datetime) -> Mapping[str, Any]:
    imeis = [*phone.imeis, None, None]
    return {
        "asset_tag": f"GJ-{place + 1:04}",
        "serial": phone.serial,
        "brand": phone.brand,
        "model": phone.model,
        "imei1": imeis[0],
        "imei2": imeis[1],
        "specification": {"内存": "8GB", "存储": "128GB"},
        "purchased_on": (now - dt.timedelta(days=400 + 20 * place)).date(),
        "price_fen": 129_900 + 10_000 * place,
        "supplier": "示例数码商行",
        "way_back": people.WAYS_BACK[place],
    }


def _post(seeder: Seeder, centre: uuid.UUID, place: int, handset: uuid.UUID) -> uuid.UUID:
    """A grid with its households, its post, and the post's kit and holder. Returns the post."""
    tag = f"{place + 1:02}"
    grid = seeder.add("grids", centre_id=centre, code=f"G{tag}", name=people.GRIDS[place])
    post = seeder.add(
        "posts", centre_id=centre, grid_id=grid, code=f"P{tag}", name=f"{people.GRIDS[place]}管家"
    )
    _households(seeder, centre, grid, place)
    number = seeder.add(
        "numbers",
        centre_id=centre,
        e164=f"+8613800138{place:03}",
        carrier="中国移动",
        plan_type="phone_for_plan",
        real_name=people.COMPANY,
    )
    account = seeder.add(
        "wechat-accounts", centre_id=centre, nickname=f"锦绣{people.NICKNAMES[place]}", number_id=number
    )
    since = seeder.now - SINCE
    for subject, row_id in (("handset_id", handset), ("number_id", number), ("wechat_account_id", account)):
        seeder.tie_once("kit-assignments", subject, post_id=post, valid_from=since, **{subject: row_id})
    _holders(seeder, centre, post, place, since)
    return post


def _holders(seeder: Seeder, centre: uuid.UUID, post: uuid.UUID, place: int, since: dt.datetime) -> None:
    """The first post was handed over a month ago, so that its phone has a history."""
    butler = seeder.add("employees", centre_id=centre, number=f"E{place + 1:04}", name=people.BUTLERS[place])
    if place > 0:
        seeder.tie_once("post-holdings", "post_id", post_id=post, employee_id=butler, valid_from=since)
    elif not ties_of(seeder.session, RESOURCES["post-holdings"], "post_id", post):
        former = seeder.add("employees", centre_id=centre, number="E0000", name=people.FORMER)
        handover = seeder.now - dt.timedelta(days=_HANDOVER_DAYS)
        for employee, start, end in ((former, since, handover), (butler, handover, None)):
            values = {"post_id": post, "employee_id": employee, "valid_from": start, "valid_to": end}
            seeder.made += 1
            tie(seeder.session, SYSTEM, RESOURCES["post-holdings"], values, seeder.now)


def _households(seeder: Seeder, centre: uuid.UUID, grid: uuid.UUID, place: int) -> None:
    for floor in range(1, _FLOORS + 1):
        for room in range(1, _ROOMS + 1):
            owner = people.OWNERS[(place * 7 + floor * 3 + room) % len(people.OWNERS)]
            seeder.add(
                "households",
                centre_id=centre,
                grid_id=grid,
                room=f"{place + 1}-{floor}{room:02}",
                owner_name=owner,
            )
