"""The frames in which the on-phone script prints its sections."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_CODE = re.compile(r"-?[0-9]{1,9}", re.ASCII)


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
    """Read the script's output. What stands outside of frames is ignored; of a name that comes twice the last
    counts.

    Bytes that are no UTF-8 become U+FFFD: a broken character costs its own field, not the snapshot.
    """
    mark = f"\n{nonce} ".encode()
    if b"\r" in output and mark + b"done\n" not in output:
        output = output.replace(b"\r\n", b"\n")
    output = b"\n" + output
    sections: dict[str, Section] = {}
    begun: set[str] = set()
    name, start, done = "", 0, False
    at = output.find(mark)
    # A search in the whole instead of a look at each line: most of a snapshot's lines are no marks.
    while at >= 0:
        end = output.find(b"\n", at + 1)
        words = output[at + len(mark) : max(end, 0)].decode("utf-8", "replace").split(" ")
        if len(words) == 2 and words[0] == "b":
            name, start = words[1], end + 1
            begun.add(name)
        elif len(words) == 3 and words[:2] == ["e", name] and _CODE.fullmatch(words[2]):
            sections[name] = Section(output[start:at].decode("utf-8", "replace"), int(words[2]))
            name = ""
        elif words == ["done"]:
            done = True
        at = output.find(mark, at + 1)
    return Frames(sections, frozenset(begun - sections.keys()), done)
