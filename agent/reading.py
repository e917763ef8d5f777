"""From one try at a phone to what is spooled of it: a reading, or that it was not reached and why."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from agent import wire
from agent.errors import KeyFileError, TransportError
from agent.instant import SiteClock
from agent.journal import JournalKeeper, collected_files
from agent.known_packages import KnownPackages
from agent.snapshot import Snapshot, read_snapshot
from agent.spool import Entry
from agent.state import Kind
from agent.transport import TransportOptions, open_transport

log = logging.getLogger("agent.sweep")

DEADLINE_S = 60.0
MAX_SECTION_BYTES = 2**20
"""Of one section as JSON, some thousand packages. A phone that tells endless new ones must not push what others told
out of the spool, nor make a batch that no server takes."""
_WIRE_REASONS = {
    "unreachable", "unauthorized", "timeout", "dropped", "protocol", "too_large", "busy", "adb_down", "identity",
}  # fmt: skip


@dataclass
class HistoryPace:
    """When a phone is asked for its own records of its power: at first, and at the contact after a new boot was met."""

    _asked: dict[str, str] = field(default_factory=dict)
    _met: dict[str, str] = field(default_factory=dict)

    def due(self, target: str) -> bool:
        return target not in self._met or self._asked.get(target) != self._met[target]

    def read(self, target: str, boot_id: str, *, asked: bool) -> None:
        self._met[target] = boot_id
        if asked:
            self._asked[target] = boot_id


@dataclass(frozen=True)
class PhoneReader:
    """Reads one phone at a time; any number of threads may do so together. `options.clock` is `clock.steady`.

    `journals` None: phones get no journal, and what they have of one stays there.
    """

    clock: SiteClock
    options: TransportOptions
    grade: Kind = "gateway"
    hmac_key: Callable[[], bytes | None] = lambda: None
    journals: JournalKeeper | None = None
    histories: HistoryPace = field(default_factory=HistoryPace)
    packages: KnownPackages = field(default_factory=KnownPackages)
    deadline_s: float = DEADLINE_S

    def read(self, target: str, known_serial: str | None = None) -> Entry:
        """A reading, or an `unreached` entry which names the serial that was read here before.

        It ends within the options' limits plus `deadline_s` (and once in a while what the journal takes to be put on
        the phone), whatever the phone does.
        """
        collected = self.journals.forgettable(known_serial) if self.journals else []
        history = self.histories.due(target)
        try:
            with open_transport(target, self.options) as transport:
                snapshot = read_snapshot(
                    transport,
                    hmac_key=self.hmac_key(),
                    collected=collected,
                    history=history,
                    known=self.packages,
                    clock=self.clock.steady,
                    deadline_s=self.deadline_s,
                )
                if self.journals and snapshot.whole and snapshot.identified:
                    self.journals.install(transport, snapshot)
        except TransportError as exc:
            log.debug("not reached target=%s: %s", target, exc)
            return self.unreached(target, known_serial, exc.reason)
        except KeyFileError as exc:
            # It is we who cannot prove ourselves: that must not count against the phone.
            log.warning("no phone that asks for a key can be read: %s", exc)
            return self.unreached(target, known_serial, "unauthorized")
        if not (snapshot.identified and snapshot.proves_on):
            return self.unreached(target, known_serial, "identity")
        self.histories.read(target, snapshot.body["power"]["boot_id"], asked=history)
        return self.reading(target, snapshot)

    def unreached(self, target: str, known_serial: str | None, reason: str) -> Entry:
        reason = reason if reason in _WIRE_REASONS else "protocol"
        body = {"target": target, "phone": known_serial, "reason": reason}
        return Entry("unreached", body, self.clock.now(), series=f"{target} {reason}")

    def reading(self, target: str, snapshot: Snapshot) -> Entry:
        """The entry of a snapshot that names its phone and proves it on; sections as canonical JSON with tags."""
        power = snapshot.body["power"]
        serial = snapshot.body["identity"]["serial"]
        contents, unread = _contents(snapshot.body)
        body: dict[str, Any] = {
            "phone": serial,
            "target": target,
            "boot_id": power["boot_id"],
            "boot_count": power["boot_count"],
            "uptime_s": power["uptime_s"],
            "grade": self.grade,
            "power": {name: power[name] for name in wire.PowerNow.__annotations__},
            "tags": {name: wire.section_tag(text) for name, text in contents.items()},
            "unread": unread,
        }
        at = self.clock.at(snapshot.read_at)
        journals = self.journals.entries(target, snapshot, at) if self.journals else ()
        return Entry(
            "readings",
            body,
            at,
            series=f"{serial} {power['boot_id']}",
            contents=contents,
            journals=journals,
            collected=collected_files(snapshot.journal) if self.journals else None,
        )


def _contents(body: dict[str, Any]) -> tuple[dict[str, bytes], list[dict[str, str]]]:
    """The texts of the sections that were read, and what was not: sections beyond all measure included."""
    contents: dict[str, bytes] = {}
    unread = list(body["unread"])
    for name, data in _sections(body):
        # Packages come as the text itself (`agent.known_packages`).
        known = data if isinstance(data, bytes) else None
        text = b"" if data is None else known or wire.canonical_json(data)
        if len(text) > MAX_SECTION_BYTES:
            unread.append({"section": name, "reason": f"more than {MAX_SECTION_BYTES} bytes"})
        elif text:
            contents[name] = text
    return contents, unread


def _sections(body: dict[str, Any]) -> list[tuple[str, Any]]:
    """Each section of the wire with its data, None where it was not read."""
    inside_power = {"boot_reasons": body["power"]["boot_reasons"]}
    return [(name, inside_power.get(name, body.get(name))) for name in wire.SECTIONS]
