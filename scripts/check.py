"""`make check`: every check runs, also after one failed, so that one run shows all there is to mend."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from scripts import lock

BIN = Path(sys.executable).parent


# What is typed strictly; a part that does not stand yet is left out.
SOURCES = ("app", "agent", "scripts", "bench", "migrations", "wsgi.py", "gunicorn.conf.py")


def main() -> int:
    sources = [name for name in SOURCES if _has_python(lock.ROOT / name)]
    checks: dict[str, list[str]] = {
        "ruff check": [str(BIN / "ruff"), "check", "--quiet", "."],
        "ruff format": [str(BIN / "ruff"), "format", "--check", "--quiet", "."],
        "mypy": [str(BIN / "mypy"), "--no-error-summary", *sources],
        "import contracts": [str(BIN / "lint-imports")],
        "architecture": [str(BIN / "pytest"), "--durations=0", "--no-header", "tests/architecture"],
        "lock is current": [sys.executable, "-m", "scripts.lock", "check"],
    }
    failed = [name for name, command in checks.items() if not _passes(name, command)]
    if failed:
        print(f"check failed: {', '.join(failed)}")
    return 1 if failed else 0


def _has_python(path: Path) -> bool:
    return path.is_file() or any(path.glob("**/*.py"))


def _passes(name: str, command: list[str]) -> bool:
    begin = time.monotonic()
    ended = subprocess.run(
        command, check=False, cwd=lock.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    passed = ended.returncode == 0
    print(f" {'✓' if passed else '✗'} {name} ({time.monotonic() - begin:.1f} s)", flush=True)
    if not passed:
        print(ended.stdout.rstrip())
    return passed


if __name__ == "__main__":
    sys.exit(main())
