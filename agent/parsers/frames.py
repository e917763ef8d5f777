"""The frames in which the on-phone script prints its sections."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Section:
    """What one command printed, standard error included, and its exit code."""

    text: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Frames:
    """The sections by name; `cut` names those that began and did not end;
    `done` says whether the script came to its end.
    """

    sections: dict[str, Section] = field(default_factory=dict)
    cut: frozenset[str] = frozenset()
    done: bool = False


def parse_frames(output: bytes, nonce: str) -> Frames:
    """Read the script's output. What stands outside of frames is ignored; of a name that comes twice the
    last counts.

    Bytes that are no UTF-8 become U+FFFD: a broken character costs its own field, not the snapshot.
    """
    text = output.decode("utf-8", "replace")
    if "\r\n" in text and f"\n{nonce} done\n" not in text:
        text = text.replace("\r\n", "\n")
    pattern = re.compile(rf"^{re.escape(nonce)} (?:b (\S+)|e (\S+) (-?\d{{1,9}})|(done))$", re.MULTILINE)
    sections: dict[str, Section] = {}
    begun: set[str] = set()
    name, start, done = "", 0, False
    for mark in pattern.finditer(text):
        if mark[1]:
            name, start = mark[1], mark.end() + 1
            begun.add(name)
        elif mark[4]:
            done = True
        elif mark[2] == name:
            sections[name] = Section(text[start : max(start, mark.start() - 1)], int(mark[3]))
            name = ""
    return Frames(sections, frozenset(begun - sections.keys()), done)
