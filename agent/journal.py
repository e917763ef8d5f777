"""The journal that phones keep between two contacts: put there, kept at work, collected.

One line a minute is written on the phone (`agent/phone/journal.sh`). Every snapshot starts it where it does not run,
prints what earlier runs left, and lets the phone forget what is on our disk. Nothing here is decided about on or off.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from agent.errors import TransportError
from agent.instant import Instant
from agent.parsers import Unreadable
from agent.parsers.journal import JournalContact, Line, parse_journal, summarise
from agent.phone import MAX_COLLECTED, journal_install_command, journal_version
from agent.snapshot import Snapshot
from agent.spool import Entry
from agent.transport import Transport

log = logging.getLogger("agent.journal")

INSTALL_DEADLINE_S = 20.0
INSTALL_AGAIN_S = 600.0
"""A phone that keeps no script (a full disk) is tried this often."""
CURRENT_EVERY_S = 3600.0
"""How often the run that is at work is told of: it proves nothing that the reading beside it does not."""


@dataclass
class JournalKeeper:
    """For any number of threads, one at a time for each phone. `collected` names a phone's files on our disk."""

    collected: Callable[[str], list[str]]
    clock: Callable[[], float]
    grade: str = "gateway"
    _failed: dict[str, float] = field(default_factory=dict)
    _told: dict[str, Line] = field(default_factory=dict)

    def forgettable(self, serial: str | None) -> list[str]:
        """Files that the phone last read here may remove. A disk that cannot be read lets it keep them."""
        try:
            return self.collected(serial) if serial else []
        except sqlite3.Error:
            return []

    def install(self, transport: Transport, snapshot: Snapshot) -> None:
        """Put the journal on the phone where it is missing, older or spoilt. A failure costs the journal alone."""
        serial = snapshot.body["identity"]["serial"]
        found = snapshot.journal
        if found is not None and found.version >= journal_version():
            return
        failed = self._failed.get(serial)
        if failed is not None and self.clock() - failed < INSTALL_AGAIN_S:
            return
        try:
            result = transport.run(journal_install_command(), INSTALL_DEADLINE_S)
            printed = parse_journal(result.stdout.decode("utf-8", "replace"), serial)
        except (TransportError, Unreadable) as exc:
            self._failed[serial] = self.clock()
            log.warning("the phone takes no journal serial=%s: %s", serial, exc)
        else:
            self._failed.pop(serial, None)
            log.info("journal put on the phone serial=%s version=%d", serial, printed.version)

    def entries(self, target: str, snapshot: Snapshot, at: Instant) -> tuple[Entry, ...]:
        """What the journal says, to be spooled with the reading of the same contact."""
        contact = snapshot.journal
        if contact is None:
            return ()
        serial = snapshot.body["identity"]["serial"]
        if contact.spoilt:
            log.warning(
                "journal: lines that are not ours or not whole serial=%s n=%d", serial, contact.spoilt
            )
        power = snapshot.body["power"]
        lines = [x for x in contact.left if not _ahead(x, power)]
        current = self._current(serial, contact, power)
        if current is not None:
            lines.append(current)
        told = (_not_yet_over(line, power) for line in summarise(lines))
        return tuple(Entry("journals", self._body(serial, target, line), at) for line in told)

    def _current(self, serial: str, contact: JournalContact, power: dict[str, object]) -> Line | None:
        line, before = contact.current, self._told.get(serial)
        if line is None or line.boot_id != power["boot_id"] or _ahead(line, power):
            return None
        same = (
            before is not None
            and before.boot_id == line.boot_id
            and before.first_uptime_s == line.first_uptime_s
        )
        if same and before is not None and line.uptime_s - before.uptime_s < CURRENT_EVERY_S:
            return None
        self._told[serial] = line
        return line

    def _body(self, serial: str, target: str, line: Line) -> dict[str, object]:
        return {
            "phone": serial,
            "target": target,
            "boot_id": line.boot_id,
            "boot_count": line.boot_count,
            "first_uptime_s": line.first_uptime_s,
            "last_uptime_s": line.uptime_s,
            "lines": line.number,
            "end": line.end,
            "grade": self.grade,
            "last": {
                "battery_percent": line.battery_percent,
                "charging": line.charging,
                "airplane_mode": line.airplane_mode,
                "sim": line.sim,
            },
        }


def _not_yet_over(line: Line, power: dict[str, object]) -> Line:
    """A mark read in the very boot that it ends proves nothing yet: a wipe could follow, and counts begin anew."""
    return replace(line, end="open") if line.boot_id == power["boot_id"] else line


def _ahead(line: Line, power: dict[str, object]) -> bool:
    """A line of the present boot from after the reading of it is made up."""
    uptime = power["uptime_s"]
    return line.boot_id == power["boot_id"] and isinstance(uptime, float) and line.uptime_s > uptime + 60


def collected_files(contact: JournalContact | None) -> tuple[str, ...] | None:
    """The files that the phone may forget once the entries of this contact are on disk."""
    return None if contact is None else contact.files[:MAX_COLLECTED]
