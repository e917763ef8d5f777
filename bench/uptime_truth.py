"""Fleets of known truth through the real engine: minutes by truth and verdict, and what would be wrong.

`python -m bench.uptime_truth [--sites 20] [--phones 50] [--days 30] [--seed 1]` prints the table; exit 1 if anything
is wrong that must not be. Each site is a trace of its own, fed in the order of arrival with rulings on the way, and
once more shuffled and doubled: both must end in the same.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from multiprocessing import Pool

from app.policy import PolicyFiles
from app.settings import ROOT
from app.uptime.dossier import Trace, read_trace
from app.uptime.limits import Limits, limits_of
from app.uptime.replay import replay
from app.uptime.rules import State
from app.uptime.ruling import PhoneRuling, rule
from app.uptime.trace import parse_line
from bench.uptime_truth_evidence import gather
from bench.uptime_truth_lives import fleet
from bench.uptime_truth_score import EDGE, MUST_BE_NONE, Score, score

PROVABLE = 0.99
_CUTS = 4
_EDGE_US = EDGE * 1_000_000
_OPPOSITE = {State.ON: State.OFF, State.OFF: State.ON}


def site(seed: int, phones: int, days: int) -> Score:
    """One site's month, in seconds and numbers by name."""
    limits = limits_of(PolicyFiles(ROOT / "policies").latest("uptime").body)
    world = fleet(seed, phones, days)
    evidence = gather(world, seed)
    lines = [json.dumps(line, separators=(",", ":")).encode() for _, line in evidence.lines]
    trace, rulings = Trace(), []
    for part in _parts(lines, _CUTS):
        for line in part:
            trace.add(parse_line(line.decode()))
        rulings.append(rule(trace, limits))
    found = score(world, evidence, rulings[-1], limits)
    for before, after in pairwise(rulings):
        found += _turned(before, after)
    found["wrong: order or doubles made a difference"] += not _same_shuffled(seed, lines, trace, limits)
    found["lines"] += len(lines)
    found["phones"] += phones
    return found


def _parts(lines: Sequence[bytes], number: int) -> Iterator[Sequence[bytes]]:
    size = -(-len(lines) // number)
    return (lines[at : at + size] for at in range(0, len(lines), size))


def _turned(before: Sequence[PhoneRuling], after: Sequence[PhoneRuling]) -> Score:
    """Proofs that later evidence turned into their opposite, edges aside."""
    found: Score = Counter()
    later = {ruling.phone: ruling.timeline.intervals for ruling in after}
    for ruling in before:
        for old in ruling.timeline.intervals:
            for new in later[ruling.phone] if old.state in _OPPOSITE else ():
                shared = min(old.end, new.end) - max(old.start, new.start)
                if new.state is _OPPOSITE[old.state] and shared > _EDGE_US:
                    found["wrong: proofs turned into their opposite"] += 1
    return found


def _same_shuffled(seed: int, lines: Sequence[bytes], trace: Trace, limits: Limits) -> bool:
    dice = random.Random(seed)
    shuffled = [*lines, *dice.choices(lines, k=len(lines) // 10)]
    dice.shuffle(shuffled)
    return replay(read_trace(shuffled, lambda _: []), limits, {}) == replay(trace, limits, {})


def failures(found: Score) -> list[str]:
    """What is not as it must be, in words; empty: all is well."""
    wrong = [f"{name}: {found[name]}" for name in MUST_BE_NONE if found[name]]
    provable, called = found["off time provable"], found["off time provable and called off"]
    if not provable:
        wrong.append("no off-time was provable: the fleet shows nothing")
    elif called < PROVABLE * provable:
        wrong.append(f"of the provable off-time only {called / provable:.2%} was called off")
    return wrong


def figures(found: Score) -> dict[str, int]:
    """By name, with those that must be none; times in minutes."""
    names = sorted({*found, *MUST_BE_NONE, "wrong incidents", "wrong strikes"})
    return {name: round(found[name] / 60) if _is_time(name) else found[name] for name in names}


def _is_time(name: str) -> bool:
    return " as " in name or " called " in name or name.startswith("off time") or name == "no line"


def table(found: Score) -> str:
    """Minutes by truth and verdict, then the rest by name."""
    rows = ["truth \\ verdict          on         off     unknown   (minutes)"]
    for state in ("on", "off", "hung"):
        cells = (found[f"{state} as {verdict}"] / 60 for verdict in ("on", "off", "unknown"))
        rows.append(f"{state:<16}" + "".join(f"{cell:>12,.0f}" for cell in cells))
    rows += [
        f"{name:<58}{number:>12,}{' min' if _is_time(name) else ''}"
        for name, number in figures(found).items()
        if " as " not in name
    ]
    return "\n".join(rows)


def run(sites: int, phones: int, days: int, seed: int) -> Score:
    """All sites together, one process a core."""
    work = [(seed * 1000 + number, phones, days) for number in range(sites)]
    with Pool() as pool:
        return sum(pool.starmap(site, work, chunksize=1), Counter())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.uptime_truth", description=__doc__)
    for name, default in (("sites", 20), ("phones", 50), ("days", 30), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    found = run(**vars(parser.parse_args()))
    print(table(found))
    wrong = failures(found)
    print("\n".join(wrong) or "nothing is wrong that must not be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
