"""Whoever reads the trail reads Chinese: no action that the code writes out is shown by its bare name."""

from __future__ import annotations

import re
from pathlib import Path

from app.trail.words import ROOMS, action_words, object_words

_ACTION = re.compile(r'"([a-z_]+)\.([a-z_]+)"')
_APP = Path(__file__).parents[3] / "app"
# Columns and file names look like actions.
_OTHER = {
    "id",
    "key",
    "zip",
    "xlsx",
    "json",
    "typ",
    "adb_server",
    "active",
    "employee_id",
    "login",
    "name",
    "max_days",
    "remind_days",
}


def test_every_action_that_is_written_out_has_words() -> None:
    found = {
        f"{room}.{verb}"
        for path in sorted(_APP.glob("*/*.py"))
        for room, verb in _ACTION.findall(path.read_text(encoding="utf-8"))
        if room in ROOMS and verb not in _OTHER
    }
    assert len(found) > 40
    assert sorted(action for action in found if action_words(action).partition(" · ")[2].isascii()) == []


def test_what_has_no_word_is_shown_as_it_is_called() -> None:
    assert action_words("new_room.new_verb") == "new_room · new_verb"
    assert object_words("thing:0123456789abcdef0123456789") == "thing 456789"
