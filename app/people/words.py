"""Filters for pages about people."""

from __future__ import annotations

from collections.abc import Iterable

from app.people.rules import ROLE_WORDS

_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def role_words(roles: Iterable[str]) -> str:
    return "、".join(ROLE_WORDS.get(role, role) for role in roles)


def browser(user_agent: str) -> str:
    """A browser and its system in two words, as far as it says so itself."""
    named = next((word for mark, word in _BROWSERS if mark in user_agent), "其他程序")
    system = next((word for mark, word in _SYSTEMS if mark in user_agent), "")
    return f"{named} · {system}" if system else named
