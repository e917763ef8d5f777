"""`python -m bench [NAME …]`: runs every measurement, prints a table, writes `var/bench.json`; exit 1 if one misses.

A measurement is a module here with `measure()`, which returns one figure or a list of them:
`figure`, `value`, `limit`, `unit`, `ok`, and in `detail` what it is made of. Each runs in a process of its own, so
that none is slowed, or made heavier, by what another left in memory.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_LIMIT_S = 1200
_CALL = "import importlib, json, sys; print(json.dumps(importlib.import_module(sys.argv[1]).measure()))"


def main(names: list[str]) -> int:
    known = measurements()
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no such measurement: {', '.join(unknown)} (there are {', '.join(known)})", file=sys.stderr)
        return 2
    figures: list[dict[str, Any]] = []
    for name in names or known:
        for figure in run(name):
            figures.append({"measurement": name, **figure})
            print(row(figure), flush=True)
    _write(figures)
    return 0 if all(figure["ok"] for figure in figures) else 1


def measurements() -> list[str]:
    """Names of all measurements, in the order in which they run."""
    files = Path(__file__).parent.glob("*.py")
    return sorted(path.stem for path in files if "\ndef measure(" in path.read_text(encoding="utf-8"))


def run(name: str) -> list[dict[str, Any]]:
    """The figures of one measurement; one that fails is itself a figure that misses."""
    command = [sys.executable, "-c", _CALL, f"bench.{name}"]
    try:
        ended = subprocess.run(command, check=False, cwd=ROOT, stdout=subprocess.PIPE, timeout=_LIMIT_S)
    except subprocess.TimeoutExpired:
        return [_failed(name, f"not done after {_LIMIT_S} s")]
    if ended.returncode != 0:
        return [_failed(name, f"exit code {ended.returncode}")]
    # Only the last line is the result; a library may have printed before it.
    found = json.loads(ended.stdout.decode().rstrip().rpartition("\n")[2])
    return found if isinstance(found, list) else [found]


def row(figure: dict[str, Any]) -> str:
    """`✓ value unit (limit …) what it is`; what has no limit is only shown."""
    limit = figure.get("limit")
    bound = "" if limit is None else f" (limit {limit:g})"
    value = figure["value"]
    shown = "–" if value is None else f"{value:g}"
    return f" {'✓' if figure['ok'] else '✗'} {shown:>10} {figure['unit']:<8}{bound:<16} {figure['figure']}"


def _failed(name: str, why: str) -> dict[str, Any]:
    return {"figure": f"{name}: {why}", "value": None, "limit": None, "unit": "", "ok": False, "detail": {}}


def _write(figures: list[dict[str, Any]]) -> None:
    target = ROOT / "var" / "bench.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "system": platform.platform()}
    target.write_text(
        json.dumps({"machine": machine, "figures": figures}, ensure_ascii=False, indent=1) + "\n"
    )
    print(f"   {target.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
