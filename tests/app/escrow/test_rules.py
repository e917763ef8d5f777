from __future__ import annotations

import itertools

import pytest

from app.escrow import states
from app.escrow.rules import Kind, fault, generate, kinds_of, normal, same
from app.escrow.states import Reveal, RevealEvent, Version, VersionEvent, advance
from app.kernel.errors import Conflict
from app.policy import PolicyFiles
from app.settings import ROOT

POLICY = PolicyFiles(ROOT / "policies").latest("escrow").body
PIN = Kind("screen_lock", "锁屏密码", "handset", "digits", 6, 16, 6, 180)
WORD = Kind("wechat_password", "微信密码", "wechat", "mixed", 8, 32, 14, 180)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("739154", PIN, None),
        ("73915", PIN, "长度"),
        ("7" * 17, PIN, "长度"),
        ("73915a", PIN, "数字"),
        ("７３９１５４", PIN, "半角"),
        ("111111", PIN, "太简单"),
        ("121212", PIN, "太简单"),
        ("123456", PIN, "太简单"),
        ("789012", PIN, "太简单"),
        ("654321", PIN, "太简单"),
        ("520520", PIN, "太常见"),
        ("112233", PIN, "太常见"),
        ("005678", PIN, "编号"),
        ("Kx7Qw2mmp", WORD, None),
        ("abcdefgh", WORD, "至少"),
        ("12345678", WORD, "至少"),
        ("Password1", WORD, "太常见"),
        ("Kx7 Qw2mm", WORD, "空格"),
        ("Kx7Qw2\n9a", WORD, "空格"),
        ("Kx7Qw2密码", WORD, "半角"),
    ],
)
def test_how_good_it_must_be(text: str, kind: Kind, said: str | None) -> None:
    found = fault(text, kind, POLICY["refused"], ["+8613800005678"])
    assert (found is None) if said is None else (found is not None and said in found)
    assert found is None or text not in found


def test_drawn_ones_are_good_and_not_alike() -> None:
    for kind in kinds_of(POLICY).values():
        drawn = [generate(kind, POLICY["refused"]) for _ in range(200)]
        assert all(fault(text, kind, POLICY["refused"]) is None for text in drawn)
        assert len(set(drawn)) > 190


def test_the_same() -> None:
    assert same("739154", " ７３９１５４ ")
    assert not same("739154", "739155")
    assert not same("739154", "7391540")
    assert not same("abc", "ABC")
    assert not same("", "739154")
    assert not same("\ud800", "739154")
    assert normal("　a b ") == "a b"


def test_every_state_and_event() -> None:
    lives = ((Version, VersionEvent, states.VERSION_NEXT), (Reveal, RevealEvent, states.REVEAL_NEXT))
    for kind, events, table in lives:
        for state, event in itertools.product(kind, events):
            if (state, event) in table:
                assert advance(state, event) == table[state, event]
            else:
                with pytest.raises(Conflict):
                    advance(state, event)
    ends = {Reveal.SHOWN, Reveal.REJECTED, Reveal.WITHDRAWN, Reveal.EXPIRED}
    assert {s for s in Reveal if not any(f == s for f, _ in states.REVEAL_NEXT)} == ends
    assert set(states.OPEN_REVEALS) == set(Reveal) - ends
