"""Packages that are known come to the same as those that are read, and nothing else is known."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from agent import wire
from agent.known_packages import KnownPackages
from agent.parsers.frames import Frames, Section
from agent.snapshot import assemble
from tests.agent.test_snapshot import WHOLE

PARTS = sorted(
    name for name in WHOLE.sections if name.split(".")[0] in {"details", "packages", "system", "disabled"}
)


def read(frames: Frames, known: KnownPackages | None, ended: str | None = None) -> tuple[Any, Any, Any]:
    body = assemble(frames, known=known, ended=ended)
    packages = body.pop("packages")
    if known is None and packages is not None:
        packages = wire.canonical_json(packages)
    return packages, body.pop("unread"), body


def spoilt(rng: random.Random) -> Frames:
    sections = dict(WHOLE.sections)
    for name in rng.sample(PARTS, rng.randint(0, 3)):
        section = sections.get(name, Section("", 0))
        match rng.randint(0, 3):
            case 0:
                sections.pop(name, None)
            case 1:
                sections[name] = replace(section, exit_code=rng.choice([1, 124, 137]))
            case 2:
                sections[name] = replace(section, text=section.text[: rng.randint(0, len(section.text))])
            case _:
                sections[name] = replace(section, text=section.text + "没有的行\n")
    return Frames(sections, WHOLE.cut, rng.random() < 0.8)


def test_what_is_known_is_what_would_be_read() -> None:
    rng, known = random.Random(1), KnownPackages()
    tried = [(spoilt(rng), rng.choice([None, "timeout"])) for _ in range(60)]
    for frames, ended in [*tried, *reversed(tried)]:
        assert read(frames, known, ended) == read(frames, None, ended)
    assert len(known._known) > 5


@pytest.mark.parametrize("part", PARTS)
def test_a_phone_that_prints_something_else_is_read(part: str) -> None:
    known = KnownPackages()
    before = read(WHOLE, known)
    sections = {name: section for name, section in WHOLE.sections.items() if name != part}
    other = Frames(sections, WHOLE.cut, WHOLE.done)
    assert read(other, known) == read(other, None)
    assert read(WHOLE, known) == before


def test_no_more_is_kept_than_there_is_room_for() -> None:
    packages, _, _ = read(WHOLE, None)
    known = KnownPackages(most_bytes=3 * len(packages))
    texts = [f"{WHOLE.sections['details'].text}{n}\n" for n in range(9)]
    for text in texts:
        sections = WHOLE.sections | {"details": Section(text, 0)}
        read(Frames(sections, WHOLE.cut, WHOLE.done), known)
        assert known._bytes == sum(one.size for one in known._known.values()) <= known.most_bytes
    assert len(known._known) >= 2
    small = KnownPackages(most_bytes=10)
    assert read(WHOLE, small) == read(WHOLE, None)
    assert not small._known


def test_what_a_phone_says_of_a_crowd_of_users_takes_room_too() -> None:
    """But for the owner none of them may be read, and each is noted."""
    known = KnownPackages(most_bytes=200_000)
    for first in range(40):
        users = "".join(f"\tUserInfo{{{n and first + n}:x:4c13}} running\n" for n in (0, *range(10, 310)))
        frames = Frames(WHOLE.sections | {"users": Section(f"Users:\n{users}", 0)}, WHOLE.cut, WHOLE.done)
        assert read(frames, known) == read(frames, None)
    notes = [note for one in known._known.values() for note in one.unread]
    assert sum(len(note["section"]) + len(note["reason"]) for note in notes) < known.most_bytes
