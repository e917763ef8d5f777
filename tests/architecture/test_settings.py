"""docs/operations.md and the settings are one list: nothing undocumented, nothing documented that is gone."""

from __future__ import annotations

import re

from app.settings import setting_names
from tests.architecture.source import ROOT, hold

_PAGE = ROOT / "docs" / "operations.md"
_ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]+)` \|", re.MULTILINE)


def _documented() -> set[str]:
    chapter = _PAGE.read_text(encoding="utf-8").partition("## Settings")[2].partition("\n## ")[0]
    return set(_ROW.findall(chapter))


def test_every_setting_is_documented() -> None:
    hold(
        "Each setting has a row `| `NAME` | … |` in docs/operations.md, chapter Settings:",
        set(setting_names()) - _documented(),
    )


def test_no_setting_is_documented_that_does_not_exist() -> None:
    hold("docs/operations.md describes settings that are gone:", _documented() - set(setting_names()))
