"""Programs of the machine that some tests need, and what happens when one is missing.

On a developer's machine the test is skipped and says what to install; under `CI=true` a missing tool is a
failure, because a suite that quietly skips there proves nothing.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

# tool -> (names to look for on PATH, patterns below / to look for besides, Debian package)
_TOOLS: dict[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "adb": (("adb",), (), "adb"),
    "chromium": (("chromium", "chromium-browser", "google-chrome"), (), "chromium"),
    "make": (("make",), (), "make"),
    "mksh": (("mksh",), (), "mksh"),
    "pdftotext": (("pdftotext",), (), "poppler-utils"),
    "postgresql": (("postgres",), ("usr/lib/postgresql/*/bin/postgres",), "postgresql"),
    "toybox": (("toybox",), (), "toybox"),
}


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def missing(reason: str) -> NoReturn:
    """Skips the calling test with `reason`; in CI fails it."""
    if in_ci():
        pytest.fail(f"{reason} (must be there under CI=true)", pytrace=False)
    pytest.skip(reason)


def find(tool: str) -> Path | None:
    """The program's path, or None where this machine lacks it. The newest version wins."""
    names, patterns, _ = _TOOLS[tool]
    for name in names:
        if found := shutil.which(name):
            return Path(found).resolve()
    candidates = [hit for pattern in patterns for hit in Path("/").glob(pattern)]
    return max(candidates, key=_version_in, default=None)


def need(tool: str) -> Path:
    """The program's path; skips the test (in CI: fails it) where there is none."""
    path = find(tool)
    if path is None:
        missing(f"no {tool} on this machine (Debian: apt-get install {_TOOLS[tool][2]})")
    return path


def _version_in(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.parts if part.isdigit())
