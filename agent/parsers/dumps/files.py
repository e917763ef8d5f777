"""A file of one dump or of many (a bug report, `dumpsys` of all services) as a tally for each."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.parsers.dumps.facts import Fact, facts
from agent.parsers.dumps.kinds import BY_SERVICE, TITLES, UNKNOWN, recognise
from agent.parsers.dumps.plain import classify_nothing
from agent.parsers.dumps.tally import Rule, Tally, tally

_SERVICE = re.compile(r"DUMP OF SERVICE (?:CRITICAL |HIGH |NORMAL )?([\w.\-/]+): *\r?", re.ASCII)
_OPENS = Rule("service")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Part:
    """One dump of a file: its lines counted, and what it says that matters."""

    tally: Tally
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Dump:
    """One file, as the dumps that it holds."""

    parts: tuple[Part, ...]

    @property
    def lines(self) -> int:
        return sum(part.tally.lines for part in self.parts)

    @property
    def unread(self) -> int:
        return sum(len(part.tally.unread) for part in self.parts)


def decode(raw: bytes) -> str:
    """A file's text: UTF-8, or UTF-16 as Windows PowerShell saves it. What is neither becomes U+FFFD."""
    if raw.startswith(_UTF16):
        return raw.decode("utf-16", "replace")
    return raw.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")


def read_dump(text: str) -> Dump:
    """Every line of a file, by the kinds of dump in it. Never raises."""
    whole = text.removesuffix("\n").split("\n") if text else []
    lines = [line.removesuffix("\r") for line in whole]
    parts = [_read(service, first, lines[first:end]) for service, first, end in _stretches(lines)]
    return Dump(tuple(parts))


def _stretches(lines: Sequence[str]) -> Iterator[tuple[str | None, int, int]]:
    """Service (None: no line says which), first line and the line behind the last one, of each dump."""
    starts = [(at, found[1]) for at, line in enumerate(lines) if (found := _SERVICE.fullmatch(line))]
    bounds = [at for at, _ in starts] + [len(lines)]
    if bounds[0] > 0:
        yield None, 0, bounds[0]
    for (at, service), end in zip(starts, bounds[1:], strict=True):
        yield service, at, end


def _read(service: str | None, first: int, lines: Sequence[str]) -> Part:
    body = lines if service is None else lines[1:]
    text = "\n".join(body)
    kind = BY_SERVICE.get(service) if service else recognise(text)
    rules = (kind.classify if kind else classify_nothing)(body)
    name = kind.name if kind else service or UNKNOWN
    counted = tally(name, lines, rules if service is None else [_OPENS, *rules], first + 1)
    if kind is None:
        return Part(counted)
    told = (line for line, rule in zip(body, rules, strict=True) if rule is None or not rule.noise)
    return Part(counted, tuple(facts(kind.name, "\n".join(told))))


def title(kind: str) -> str:
    """A kind's name for people."""
    return TITLES.get(kind, "其他内容" if kind == UNKNOWN else f"未支持的服务 {kind}")
