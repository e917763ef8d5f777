"""A kind of dump as a table of rules: for each line the first rule of the part that it stands in, or None.

A rule matches a whole line. Each part's rules are one regular expression, so that a line costs one match; none of them
may try the same characters in two ways, or a long line would cost the square of its length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from agent.parsers.dumps.tally import Rule

Classify = Callable[[Sequence[str]], list[Rule | None]]
Rules = tuple[tuple[str, str], ...]
"""Name and regular expression of each, without capturing groups."""

NOISE: Rules = (
    ("blank", r"\s*"),
    ("linker warning", r"WARNING: linker: .*"),
    ("ruler", r"-{20,}"),
    ("duration", r"-{9} [\d.]+s was the duration of dumpsys .*"),
    ("host process", r"(?:Service host process PID|Threads in use|Client PIDs): [\d, /]*"),
)
"""Known, and of no meaning, in every kind of dump."""
TOP = "top"


class _Part:
    """The rules of one stretch of a dump, joined."""

    def __init__(self, rules: Rules) -> None:
        self.pattern = re.compile("|".join(f"({pattern})" for _, pattern in (*NOISE, *rules)), re.ASCII)
        self.rules = [Rule(name, noise=True) for name, _ in NOISE] + [Rule(name) for name, _ in rules]
        if self.pattern.groups != len(self.rules):
            raise ValueError("a rule must not capture")

    def rule(self, line: str) -> Rule | None:
        match = self.pattern.fullmatch(line)
        return self.rules[match.lastindex - 1] if match and match.lastindex else None


def classifier(
    top: Rules,
    parts: Mapping[str, Rules] | None = None,
    opens: Mapping[str, str] | None = None,
    shared: Rules = (),
) -> Classify:
    """A function that gives each line its rule.

    Lines stand in the part `top` until a line of a rule in `opens` opens another one; `shared` rules hold in all parts.
    """
    joined = {name: _Part((*shared, *rules)) for name, rules in {TOP: top, **(parts or {})}.items()}
    opened = {rule: joined[part] for rule, part in (opens or {}).items()}

    def classify(lines: Sequence[str]) -> list[Rule | None]:
        part = joined[TOP]
        found: list[Rule | None] = []
        for line in lines:
            rule = part.rule(line)
            found.append(rule)
            if rule is not None:
                part = opened.get(rule.name, part)
        return found

    return classify


def fields(name: str, depth: int, names: str, mark: str = "=") -> tuple[str, str]:
    """A rule for lines `name=value` (or another mark) at a depth, of these names and no others."""
    return name, rf" {{{depth}}}(?:{'|'.join(names.split())}){mark}.*"


def heads(name: str, depth: int, titles: str) -> tuple[str, str]:
    """A rule for headings, one a line, with a colon and nothing behind it."""
    joined = "|".join(re.escape(title.strip()) for title in titles.strip().splitlines())
    return name, rf" {{{depth}}}(?:{joined}): *"
