"""Instants of this gateway: a value of its steady clock, and the boot that this clock belongs to."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from agent.clock import Steady, steady

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Instant:
    """`seconds` of the steady clock during the gateway's boot `boot`; comparable only within one boot."""

    seconds: float
    boot: str


@dataclass(frozen=True)
class SiteClock:
    """The gateway's steady clock together with its boot's identity."""

    boot: str
    steady: Steady = steady

    def now(self) -> Instant:
        return self.at(self.steady())

    def at(self, seconds: float) -> Instant:
        """The instant of a value that this clock gave earlier in this boot."""
        return Instant(seconds, self.boot)

    def age_s(self, instant: Instant) -> float | None:
        """Seconds since `instant`; None after a restart of the gateway: how long it was off is not known."""
        if instant.boot != self.boot:
            return None
        return max(0.0, self.steady() - instant.seconds)


def site_clock() -> SiteClock:
    """The clock of this machine's present boot.

    Where the boot's id cannot be read (Windows, macOS, some Termux) every start of the agent counts as a new
    boot: ages across a restart become unknown, which is less than could be known but never false.
    """
    try:
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        boot = ""
    return SiteClock(boot or f"start-{uuid.uuid4()}")
