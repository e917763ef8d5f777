"""The on-phone journal as it was collected: lines of `agent/phone/journal.sh`, checked one by one.

A line counts only if it is whole: it ends with a check over its numbers and its length. What a loss of power, a full
disk or a stranger left in the file costs that line alone; a mark of a shutdown is never read out of rubbish.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agent.parsers.common import Unreadable, complaint

MAX_JOURNALS = 64
"""Of one contact. A phone that tells of more boots at once makes them up."""
_SERIAL_WORD = re.compile(r"[A-Za-z0-9._:,-]+", re.ASCII)
_LINE = re.compile(
    r"1 (?P<serial>\S+) (?P<boot>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) (?P<count>-|[0-9]{1,9})"
    r" (?P<first>[0-9]{1,9}(?:\.[0-9]{1,3})?) (?P<uptime>[0-9]{1,9}\.[0-9]{1,3}) (?P<number>[0-9]{1,7})"
    r" (?P<battery>-|[0-9]{1,3}) (?P<charging>[-01]) (?P<airplane>[-01]) (?P<sim>[A-Za-z0-9._:,-]{1,100})"
    r" (?P<end>open|shutdown) (?P<check>[0-9]{1,4})",
    re.ASCII,
)
_SWITCH = {"-": None, "0": False, "1": True}


@dataclass(frozen=True, slots=True)
class Line:
    """One minute of one boot as the phone wrote it down. Uptimes in seconds; `number` counts the lines of its run."""

    boot_id: str
    boot_count: int | None
    first_uptime_s: float
    uptime_s: float
    number: int
    end: Literal["shutdown", "open"]
    battery_percent: int | None
    charging: bool | None
    airplane_mode: bool | None
    sim: str | None


@dataclass(frozen=True, slots=True)
class JournalContact:
    """What the phone's script printed. `version` 0: what is there is no journal of ours.

    `running`: a run was at work before this contact. `current` is its last line. `files` names those that were printed
    whole; `left` holds their sound lines in order; `spoilt` counts the others.
    """

    version: int = 0
    running: bool = False
    current: Line | None = None
    files: tuple[str, ...] = ()
    left: tuple[Line, ...] = ()
    spoilt: int = 0


@dataclass(slots=True)
class _Printed:
    file: str = ""
    inside: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    current: str = ""
    words: dict[str, str] = field(default_factory=dict)


def parse_journal(text: str, serial: str) -> JournalContact:
    """What `contact` printed on the phone of this serial. Raise `Unreadable` when the script is not there.

    Lines of another phone are spoilt ones: somebody copied the file.
    """
    printed = _split(text)
    version = printed.words.get("v", "")
    if not version.isascii() or not version.isdigit() or "r" not in printed.words:
        raise Unreadable(complaint(text) or "the journal is not on the phone")
    named = serial if _SERIAL_WORD.fullmatch(serial) else "-"
    left = [_line(line, named) for line in printed.lines]
    return JournalContact(
        version=int(version[:6]),
        running=printed.words["r"] == "1",
        current=_line(printed.current, named),
        files=tuple(printed.files),
        left=tuple(line for line in left if line is not None),
        spoilt=sum(line is None for line in left),
    )


def _split(text: str) -> _Printed:
    """A file's lines count only where its end was printed, too: until then the phone keeps it."""
    printed = _Printed()
    for line in text.split("\n"):
        kind, _, rest = line.partition(" ")
        if printed.file and line == f"e {printed.file}":
            printed.files.append(printed.file)
            printed.lines += [inner for inner in printed.inside if inner.strip()]
            printed.file, printed.inside = "", []
        elif printed.file:
            printed.inside.append(line)
        elif kind == "f":
            printed.file = rest
        elif kind == "c":
            printed.current = rest
        elif kind in ("v", "r"):
            printed.words.setdefault(kind, rest)
    return printed


def _line(text: str, serial: str) -> Line | None:
    found = _LINE.fullmatch(text)
    if found is None or found["serial"] != serial or int(found["check"]) != check_of(text.rpartition(" ")[0]):
        return None
    first, uptime = float(found["first"]), float(found["uptime"])
    battery = None if found["battery"] == "-" else int(found["battery"])
    number = int(found["number"])
    if uptime < first or number < 1 or (battery or 0) > 100 or set(found["boot"]) <= set("0-"):
        return None
    return Line(
        boot_id=found["boot"],
        boot_count=None if found["count"] == "-" else int(found["count"]),
        first_uptime_s=first,
        uptime_s=uptime,
        number=number,
        end="shutdown" if found["end"] == "shutdown" else "open",
        battery_percent=battery,
        charging=_SWITCH[found["charging"]],
        airplane_mode=_SWITCH[found["airplane"]],
        sim=None if found["sim"] == "-" else found["sim"],
    )


def check_of(body: str) -> int:
    """The number that ends a line: a prime's remainder, so that no single digit changes unseen.

    The shell on a phone counts in 32 bits; each term stays below.
    """
    words = body.split(" ")
    whole, _, hundredths = words[5].partition(".")
    count = 0 if words[3] == "-" else int(words[3])
    terms = int(whole) % 9973 * 211 + int(hundredths) * 89 + int(words[6]) % 9973 * 31 + count % 9973 * 17
    return (terms + len(body)) % 9973


def summarise(lines: Iterable[Line]) -> list[Line]:
    """The lines that say all that the others say, too, in the order of their boots' first appearance.

    Of each boot and number of boot: the first and the last mark of a shutdown, and the last other line unless a mark
    comes after it. At equal uptimes the milder stands: it comes after.
    """
    boots: dict[tuple[str, int | None], list[Line]] = {}
    for line in lines:
        boots.setdefault((line.boot_id, line.boot_count), []).append(line)
    found: list[Line] = []
    for group in boots.values():
        found += _of_one_boot(group)
    return found[:MAX_JOURNALS]


def _of_one_boot(lines: Sequence[Line]) -> list[Line]:
    marks = sorted((x for x in lines if x.end == "shutdown"), key=lambda x: x.uptime_s)
    others = sorted((x for x in lines if x.end == "open"), key=lambda x: x.uptime_s)
    kept = list(dict.fromkeys([marks[0], marks[-1]])) if marks else []
    if others and (not marks or others[-1].uptime_s >= marks[-1].uptime_s):
        kept.append(others[-1])
    return kept
