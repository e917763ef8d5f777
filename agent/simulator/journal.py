"""The on-phone journal in canned mode, where no process runs: what its files would hold, told when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.parsers.journal import check_of
from agent.phone import journal_version

if TYPE_CHECKING:
    from agent.simulator.state import PhoneState

_TICK_S = 60.0
_WRITING_S = 0.1
"""What a line takes: a phone whose clock jumps in tests must not write its last line and its mark at one instant."""


@dataclass
class _Run:
    boot_id: str
    first: float
    serial: str


@dataclass
class JournalFiles:
    """`left` are the files of runs that ended, by the name under which they are collected; they outlive a reboot."""

    installed: bool = False
    left: dict[str, list[str]] = field(default_factory=dict)
    _log: list[str] = field(default_factory=list)
    _run: _Run | None = None

    def install(self, phone: PhoneState) -> str:
        """The script is put there; what was there goes on as an older run's."""
        self.kill(phone)
        self.installed = True
        return self.contact(phone, [])

    def contact(self, phone: PhoneState, collected: list[str]) -> str:
        """What `journal.sh contact` prints."""
        for name in collected:
            self.left.pop(name, None)
        told = [f"v {journal_version()}"]
        if self._run is not None:
            told += ["r 1", f"c {self._lines(self._run, phone)[-1]}"]
        else:
            told.append("r 0")
            if self._log:
                self.left[f"{phone.boot_id[:8]}.{phone.uptime():.2f}.1"] = self._log
                self._log = []
            self._run = _Run(phone.boot_id, phone.uptime(), phone.identity.serial)
        for name, lines in self.left.items():
            told += [f"f {name}", *lines, f"e {name}"]
        return "\n".join(told) + "\n"

    def end(self, phone: PhoneState, *, orderly: bool) -> None:
        """The phone goes off: a shutdown leaves its mark, a loss of power the last minute's line."""
        if self._run is not None:
            self._log = self._lines(self._run, phone)
            if orderly:
                self._log.append(self._last(self._run, phone, "shutdown"))
            self._run = None

    def kill(self, phone: PhoneState) -> None:
        """The process alone is ended: its last line says no more than that it ran until then."""
        if self._run is not None:
            self._log = self._lines(self._run, phone)
            self._log.append(self._last(self._run, phone, "open"))
            self._run = None

    def _last(self, run: _Run, phone: PhoneState, end: str) -> str:
        number = int(max(0.0, phone.uptime() - run.first) // _TICK_S) + 2
        return self._line(run, phone, phone.uptime(), number, end)

    def _lines(self, run: _Run, phone: PhoneState) -> list[str]:
        """The first and the last line: those between them say nothing more."""
        minutes = int(max(0.0, phone.uptime() - run.first - _WRITING_S) // _TICK_S)
        first = self._line(run, phone, run.first, 1, "open")
        if minutes == 0:
            return [first]
        return [first, self._line(run, phone, run.first + minutes * _TICK_S, minutes + 1, "open")]

    def _line(self, run: _Run, phone: PhoneState, uptime: float, number: int, end: str) -> str:
        count = str(phone.settings_boot_count()) if phone.boot_completed() else "-"
        sim = ",".join(slot.state for slot in phone.sims) or "-"
        battery, charging = phone.battery.percent, int(phone.battery.charging)
        text = (
            f"1 {run.serial} {run.boot_id} {count} {run.first:.2f} {uptime:.2f} {number} {battery} {charging}"
            f" {int(phone.airplane_mode)} {sim} {end}"
        )
        return f"{text} {check_of(text)}"
