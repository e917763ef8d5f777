"""A web process loads what it needs for a request when one needs it: each of these costs it megabytes for nothing."""

from __future__ import annotations

import subprocess
import sys

from tests.architecture.source import ROOT

_LATE = (
    "PIL",
    "alembic",
    "apprise",
    "apscheduler",
    "python_calamine",
    "requests",
    "segno",
    "typst",
    "xlsxwriter",
)


def test_heavy_libraries_are_loaded_by_those_who_use_them() -> None:
    said = subprocess.run(
        [sys.executable, "-c", f"import sys, app.rooms; print(*(n for n in {_LATE!r} if n in sys.modules))"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert said.split() == [], "import them in the function that uses them"
