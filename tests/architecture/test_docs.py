"""The pages for people: links lead somewhere, and every decision is in the index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import ROOT, hold

_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
_ADRS = ROOT / "docs" / "adr"


def _pages() -> Iterator[Path]:
    yield from sorted(ROOT.glob("*.md"))
    yield from sorted((ROOT / "docs").glob("**/*.md"))


def _decisions() -> list[Path]:
    return sorted(_ADRS.glob("[0-9][0-9][0-9][0-9]-*.md"))


def test_links_between_pages_lead_somewhere() -> None:
    hold(
        "These links lead to no file:",
        (
            f"{page.relative_to(ROOT)} -> {target}"
            for page in _pages()
            for target in _LINK.findall(page.read_text(encoding="utf-8"))
            if not (page.parent / target).exists()
        ),
    )


def test_every_decision_is_in_the_index() -> None:
    index = (_ADRS / "README.md").read_text(encoding="utf-8")
    hold(
        "docs/adr/README.md lists every decision as `| [NNNN](file) | what |`:",
        (page.name for page in _decisions() if f"]({page.name})" not in index),
    )


def test_decisions_are_numbered_once_and_give_their_reason() -> None:
    numbers = [page.name[:4] for page in _decisions()]
    hold("Two decisions share a number:", {number for number in numbers if numbers.count(number) > 1})
    hold(
        "A decision begins with `# NNNN Title` and says `Decided:` and `Why:`:",
        (page.name for page in _decisions() if not _is_whole(page)),
    )


def _is_whole(page: Path) -> bool:
    text = page.read_text(encoding="utf-8")
    return text.startswith(f"# {page.name[:4]} ") and "\nDecided: " in text and "\nWhy: " in text
