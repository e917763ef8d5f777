"""The processes of a run: started, watched, restarted once in a while, and ended together."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.terminal import Stop, note

_PR_SET_PDEATHSIG = 1
# A process that lives this long has started well: its end later is an accident, and it is started again.
_SETTLED_S = 10.0
_GRACE_S = 10.0
_LOG_LIMIT = 10 * 2**20
_TAIL_LINES = 15


@dataclass
class Child:
    """One process and its log. `start` again after an end counts as a restart."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    started: float = 0.0
    restarts: int = 0

    def start(self) -> None:
        rotate(self.log)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C at the terminal reaches only this program, which then ends the others in order.
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one thread
            )
        self.started = time.monotonic()

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def exit_code(self) -> int | None:
        return None if self.process is None else self.process.returncode

    def died(self) -> Stop:
        """What to tell when it cannot be kept up."""
        return Stop(
            f"{self.name} ended with {_outcome(self.exit_code())}; from {self.log}:\n{tail(self.log)}"
        )


class Children:
    """All processes of the run, in the order of their start."""

    def __init__(self) -> None:
        self._all: list[Child] = []

    def start(self, child: Child) -> Child:
        child.start()
        self._all.append(child)
        return child

    def started(self) -> bool:
        return bool(self._all)

    def revive(self) -> None:
        """Starts again what has ended. Raises `Stop` for one that ends at once after it was started again."""
        for child in self._all:
            if child.running():
                if child.restarts and time.monotonic() - child.started > _SETTLED_S:
                    child.restarts = 0
                continue
            if child.restarts:
                raise child.died()
            note(
                f"{child.name} ended with {_outcome(child.exit_code())}, starting it again (see {child.log})"
            )
            child.restarts += 1
            child.start()

    def end(self) -> None:
        """Asks all to end, last started first, and kills what has not after the grace."""
        running = [child for child in reversed(self._all) if child.running()]
        for child in running:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_S
        while any(child.running() for child in running) and time.monotonic() < deadline:
            time.sleep(0.05)
        for child in running:
            if child.running():
                _signal(child, signal.SIGKILL)
            if child.process is not None:
                child.process.wait()


def once(command: Sequence[str], environment: Mapping[str, str], log: Path, given: str = "") -> str:
    """Runs a command to its end with `given` on its standard input and returns its standard output.

    Raises `Stop` with the log's end when it fails.
    """
    rotate(log)
    with log.open("ab") as output:
        ended = subprocess.run(
            command,
            check=False,
            env=dict(environment),
            input=given.encode(),
            stdout=subprocess.PIPE,
            stderr=output,
        )
    if ended.returncode != 0:
        said = ended.stdout.decode("utf-8", "replace").strip()
        raise Stop("\n".join(part for part in (said, tail(log)) if part) or f"see {log}")
    return ended.stdout.decode("utf-8", "replace")


def rotate(log: Path) -> None:
    """Keeps one older log, so that a run left up for months does not fill the disk with its starts."""
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))


def tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-_TAIL_LINES:])


def _outcome(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"


def _signal(child: Child, number: signal.Signals) -> None:
    if child.process is None:
        return
    try:
        if number == signal.SIGKILL:
            # With its workers: a leader that is killed can no longer end them.
            os.killpg(child.process.pid, number)
        else:
            child.process.send_signal(number)
    except ProcessLookupError:
        return


def _end_with_parent() -> None:
    # Even when this program is killed outright, no server stays behind to hold the port.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
