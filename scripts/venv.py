"""Makes `.venv` from the locked requirements: `python3 scripts/venv.py run|dev`.

It runs on the machine's own Python before anything is installed, so it needs the standard library only. That
this Python is new enough, the Makefile has seen to: an older one could not even compile what follows.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
# What a set installs, in this order; each file is complete in itself.
SETS = {"run": ["requirements.txt"], "dev": ["requirements.txt", "requirements-dev.txt"]}


def say(mark: str, text: str) -> None:
    print(f" {mark} {text}", flush=True)


def fail(text: str) -> NoReturn:
    say("✗", text)
    sys.exit(1)


def fingerprint(requirements: Path) -> str:
    """Changes whenever the locked file or the Python below it does; only then is anything installed again."""
    parts = [requirements.read_bytes(), sys.version.encode(), os.path.realpath(sys.executable).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def create(venv: Path) -> None:
    if (venv / "bin" / "python").exists():
        return
    try:
        import ensurepip  # noqa: F401 - only to see whether it is there
    except ImportError:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        fail(f"Python's venv module is missing. On Debian or Ubuntu: apt-get install python{version}-venv")
    say("·", "creating .venv")
    run([sys.executable, "-m", "venv", str(venv)], "could not create .venv")


def install(venv: Path, requirements: Path) -> None:
    stamp = venv / f".installed-{requirements.stem}"
    wanted = fingerprint(requirements)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say("·", f"installing {requirements.name} (once; about half a minute)")
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-input", "--require-hashes", "-r", str(requirements)]
    run(pip + options, f"could not install {requirements.name}")
    stamp.write_text(wanted)


def run(command: list[str], complaint: str) -> None:
    """Runs quietly; what the command said is shown only when it failed."""
    ended = subprocess.run(
        command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if ended.returncode != 0:
        print(ended.stdout.decode("utf-8", "replace").rstrip()[-4000:], file=sys.stderr)
        fail(f"{complaint} (see above)")


def main(name: str) -> None:
    venv = ROOT / ".venv"
    try:
        lock = (ROOT / ".venv.lock").open("w")
    except OSError as error:
        fail(f"cannot write in {ROOT}: {error.strerror}")
    with lock:
        # `make run` and `make test` at the same time must not install into one another.
        fcntl.flock(lock, fcntl.LOCK_EX)
        create(venv)
        for file in SETS[name]:
            install(venv, ROOT / file)


if __name__ == "__main__":
    main(sys.argv[1])
