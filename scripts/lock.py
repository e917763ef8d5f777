"""The locked requirements: `lock.py write` makes them (with uv), `lock.py check` says whether they are so.

Each locked file begins with a hash of every file that it was made from, so the check needs no network.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# In this order: each is constrained by, or part of, the next.
INPUTS = ("agent/requirements.in", "requirements.in", "requirements-dev.in")
_OPTIONS = ["--generate-hashes", "--universal", "--no-emit-index-url", "--no-header", "--python-version=3.11"]
_MARK = "# inputs sha256: "


def main(action: str) -> int:
    return {"write": write, "check": check}[action]()


def write() -> int:
    for name in INPUTS:
        source = ROOT / name
        target = source.with_suffix(".txt")
        command = [str(ROOT / ".venv/bin/uv"), "pip", "compile", *_OPTIONS, name, "-o", str(target)]
        subprocess.run([*command, "--quiet"], check=True, cwd=ROOT)
        body = [line for line in target.read_text().splitlines() if not line.startswith(_MARK)]
        target.write_text("\n".join([_MARK + inputs_hash(source), *body]) + "\n")
        print(f" ✓ {target.relative_to(ROOT)}")
    return 0


def check() -> int:
    stale = [name for name in INPUTS if not _is_current(ROOT / name)]
    for name in stale:
        print(f" ✗ {Path(name).with_suffix('.txt')} is older than what it is made from: run `make lock`")
    return 1 if stale else 0


def inputs_hash(source: Path) -> str:
    """SHA-256 over a requirements.in and every file that it names with `-r` or `-c`, in their order."""
    digest = hashlib.sha256(source.read_bytes())
    for line in source.read_text().splitlines():
        option, _, named = line.partition(" ")
        if option in {"-r", "-c"}:
            digest.update((source.parent / named.strip()).read_bytes())
    return digest.hexdigest()


def _is_current(source: Path) -> bool:
    lines = source.with_suffix(".txt").read_text().splitlines()
    return bool(lines) and lines[0] == _MARK + inputs_hash(source)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
