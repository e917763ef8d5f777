"""Lives of phones of which the truth is known: when each was on, in whose reach, and what befell its site.

Seconds after `BEGIN`, spans half-open; the same seed gives the same fleet.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

BEGIN = dt.datetime(2026, 11, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))
MINUTE, HOUR, DAY = 60, 3600, 86_400
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Boot:
    """`count` None: it hung while starting and Android never counted it. `orderly`: a shutdown ended it, not a cut of
    power. `wiped`: it is the first after a wipe, so counts and the journal's folder begin anew.
    """

    name: str
    start: int
    end: int
    count: int | None
    orderly: bool
    wiped: bool


@dataclass(frozen=True, slots=True)
class Site:
    """What was out of order. `dead`: the gateway itself. `cut`: the router, which the gateway's self-check notices.
    `blind`: an access point, which it does not notice, so that its failed tests look good.
    """

    name: str
    dead: Sequence[Span]
    cut: Sequence[Span]
    blind: Sequence[Span]


@dataclass(slots=True)
class Phone:
    """`reach`: where the gateway can read it, if both are on. `airplane`: on, though the network calls it off.
    `reads_itself`: an agent runs on the phone too.
    """

    name: str
    site: Site
    boots: list[Boot]
    reach: list[Span]
    airplane: list[Span]
    reads_itself: bool
    custody: list[tuple[Span, str]] = field(default_factory=list)
    delegated: list[tuple[Span, str]] = field(default_factory=list)
    excused: list[tuple[Span, str]] = field(default_factory=list)

    def is_on(self, at: int) -> bool:
        return any(boot.start <= at < boot.end and boot.count is not None for boot in self.boots)

    def answers(self, at: int) -> str:
        for spans in (self.delegated, self.custody):
            for (start, end), who in spans:
                if start <= at < end:
                    return who
        raise AssertionError("custody has no gap here")


@dataclass(frozen=True, slots=True)
class Fleet:
    """One site with its phones. `deaf`: the server was down, and agents kept what they had for later."""

    site: Site
    phones: list[Phone]
    deaf: Sequence[Span]
    days: int


def fleet(seed: int, phones: int, days: int) -> Fleet:
    dice = random.Random(seed)
    name = f"S{seed}"
    site = Site(
        name,
        dead=_now_and_then(dice, days, mean_days=10, low=10 * MINUTE, high=20 * HOUR),
        cut=_now_and_then(dice, days, mean_days=7, low=5 * MINUTE, high=8 * HOUR),
        blind=_now_and_then(dice, days, mean_days=10, low=20 * MINUTE, high=6 * HOUR),
    )
    deaf = _now_and_then(dice, days, mean_days=10, low=10 * MINUTE, high=3 * HOUR)
    return Fleet(site, [_phone(dice, f"{name}-P{n}", site, days) for n in range(phones)], deaf, days)


def _now_and_then(dice: random.Random, days: int, mean_days: float, low: int, high: int) -> list[Span]:
    spans, clock = [], 0
    while (clock := clock + round(dice.expovariate(1 / (mean_days * DAY)))) < days * DAY:
        end = clock + dice.randint(low, high)
        spans.append((clock, end))
        clock = end
    return spans


def _phone(dice: random.Random, name: str, site: Site, days: int) -> Phone:
    boots = _boots(dice, name, days)
    phone = Phone(name, site, boots, _reach(dice, days), [], dice.random() < 0.06)
    if dice.random() < 0.08:
        phone.airplane = _nights(dice, days, share=0.4)
    phone.custody = [((-400 * DAY, 400 * DAY), f"E-{name}")]
    if dice.random() < 0.1:
        at = dice.randint(0, days * DAY)
        phone.custody = [((-400 * DAY, at), f"E-{name}"), ((at, 400 * DAY), f"F-{name}")]
    if dice.random() < 0.06:
        phone.delegated = [(span, f"D-{site.name}-{dice.randint(0, 3)}") for span in _nights(dice, days, 0.2)]
    if dice.random() < 0.05:
        start = dice.randint(0, days * DAY)
        reason = dice.choice(["maintenance", "repair"])
        phone.excused = [((start, start + dice.randint(HOUR, 3 * DAY)), reason)]
    return phone


def _nights(dice: random.Random, days: int, share: float) -> list[Span]:
    nights = []
    for day in range(days):
        if dice.random() < share:
            start = day * DAY + 22 * HOUR + dice.randint(-HOUR, HOUR)
            nights.append((start, start + 9 * HOUR + dice.randint(-HOUR, HOUR)))
    return nights


def _reach(dice: random.Random, days: int) -> list[Span]:
    """Docked all day, at the office, on patrol most of the time, or seen once in many days."""
    habit = dice.choices(["dock", "office", "patrol", "rare"], [15, 45, 30, 10])[0]
    if habit == "dock":
        return [(-2 * DAY, days * DAY)]
    spans = []
    for day in range(-2, days):
        if dice.random() < {"office": 0.1, "patrol": 0.15, "rare": 0.88}[habit]:
            continue
        clock = day * DAY + 8 * HOUR + dice.randint(0, HOUR)
        evening = day * DAY + 18 * HOUR + dice.randint(-HOUR, 2 * HOUR)
        while clock < evening:
            stays = dice.randint(2 * MINUTE, 4 * HOUR if habit == "office" else HOUR)
            spans.append((clock, min(clock + stays, evening)))
            clock += stays + dice.randint(10 * MINUTE, 2 * HOUR if habit == "office" else 5 * HOUR)
        if dice.random() < 0.2:
            spans[-1] = (spans[-1][0], (day + 1) * DAY + 7 * HOUR)
    return spans


@dataclass(frozen=True, slots=True)
class _End:
    at: int
    off: int
    orderly: bool
    wiped: bool = False


def _ends(dice: random.Random, days: int) -> list[_End]:
    """All that ends a boot: restarts, updates, empty batteries, power held down, a butler who sleeps, a wipe."""
    ends = []
    habit = dice.choices(["careful", "careless", "sleeper"], [65, 25, 10])[0]
    for at, _ in _now_and_then(dice, days, 8, 1, 2):
        ends.append(_End(at, dice.randint(20, 120), orderly=True))
    for at, _ in _now_and_then(dice, days, 60 if habit == "careful" else dice.choice([4, 12]), 1, 2):
        # Android shuts down by itself in good time; an old battery just gives out.
        ends.append(_End(at, dice.randint(15 * MINUTE, 12 * HOUR), orderly=dice.random() < 0.7))
    for at, _ in _now_and_then(dice, days, 40, 1, 2):
        ends.append(_End(at, dice.randint(30, 3 * HOUR), orderly=False))
    for at, _ in _now_and_then(dice, days, 90 if habit == "careful" else 15, 1, 2):
        ends.append(_End(at, dice.randint(5 * MINUTE, 30 * HOUR), orderly=True))
    for at, _ in _now_and_then(dice, days, 1200, 1, 2):
        ends.append(_End(at, dice.randint(2 * MINUTE, 20 * MINUTE), orderly=True, wiped=True))
    if habit == "sleeper":
        for start, end in _nights(dice, days, share=0.5):
            ends.append(_End(start, end - start, orderly=True))
    return sorted(ends, key=lambda end: end.at)


def _boots(dice: random.Random, name: str, days: int) -> list[Boot]:
    boots: list[Boot] = []
    start, count, wiped = -dice.randint(HOUR, 20 * DAY), dice.choice([2, 5, 30, 400]), False
    for end in _ends(dice, days):
        if end.at < start + 90:
            continue
        boots.append(Boot(f"{name}-b{len(boots)}", start, end.at, count, end.orderly, wiped))
        start, wiped = end.at + end.off, end.wiped
        count = 1 if wiped else count + 1
        if dice.random() < 0.02:
            hung = start + dice.randint(MINUTE, 40 * MINUTE)
            boots.append(Boot(f"{name}-b{len(boots)}", start, hung, None, False, wiped))
            start, wiped = hung + dice.randint(10, 60), False
    boots.append(Boot(f"{name}-b{len(boots)}", start, max(days * DAY, start) + DAY, count, False, wiped))
    return boots
