"""Agent and server take the same texts for serials: what one adopts the other must not refuse."""

from agent.parsers import identity
from app.registry import rules


def test_both_sides_know_the_same_placeholders_and_forms() -> None:
    assert identity._PLACEHOLDERS == rules._PLACEHOLDER_SERIALS
    assert identity._SERIAL.pattern == rules._SERIAL.pattern
