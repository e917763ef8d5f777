"""Outputs recorded from real phones, where they are at hand beside the checkout; they are not part of the project."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT.parent / "shared" / "fixtures"
OWN = ROOT / "tests" / "fixtures" / "android"


def captures(pattern: str) -> list[Path]:
    """Files of that name pattern. Skips the test when there are none on this machine."""
    found = sorted(CAPTURES.rglob(pattern)) if CAPTURES.is_dir() else []
    if not found:
        pytest.skip(f"no captures of real phones ({pattern}) beside this checkout")
    return found


def own(name: str) -> str:
    """One of the project's own fixtures."""
    return (OWN / name).read_bytes().decode("utf-8")
