"""Which phones this agent tries: those given, those in the targets file, those that the local adb server lists."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.clock import Deadline, Steady, steady
from agent.errors import AgentError, BadTarget, TransportError
from agent.state import write_private
from agent.transport import is_loopback, parse_target

if TYPE_CHECKING:
    from agent.adbserver import ServerDevice

log = logging.getLogger("agent.targets")

OWN_PHONE = "tcp:127.0.0.1:5555"
_RECONNECT_LEAST_S, _RECONNECT_MOST_S = 2.0, 60.0


class TargetsError(AgentError):
    """The targets file, or a target for this kind of agent, is not good; names file, line or target."""


def read_targets(path: Path) -> list[str]:
    """Targets of a file: one a line, `#` begins a comment; none if there is no file. Raise `TargetsError`."""
    try:
        # Windows' editor puts a byte order mark before the first line.
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as exc:
        raise TargetsError(f"cannot read {path}: {exc}") from exc
    found = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        try:
            if text:
                found.append(parse_target(text).text)
        except BadTarget as exc:
            raise TargetsError(f"{path}, line {number}: {exc}") from exc
    return list(dict.fromkeys(found))


def add_target(path: Path, target: str, comment: str = "") -> bool:
    """Append a target to the file unless it is there; False: it was. Raise `TargetsError`."""
    if target in read_targets(path):
        return False
    try:
        old = path.read_text(encoding="utf-8-sig") if path.exists() else ""
        line = f"{target}  # {' '.join(comment.split())}" if comment else target
        lines = [*old.splitlines(), line, ""]
        write_private(path, "\n".join(lines).encode())
    except OSError as exc:
        raise TargetsError(f"cannot write {path}: {exc.strerror}") from exc
    return True


def require_own_phone(targets: Sequence[str]) -> None:
    """An agent of kind `self` reads the phone it runs on, by its own loopback. Raise `TargetsError`."""
    for target in targets:
        parsed = parse_target(target)
        if not is_loopback(parsed.host):
            raise TargetsError(f"{target}: an agent on the phone itself reads only tcp:127.0.0.1:PORT")


class TargetList:
    """The present list. The file is read again when it changes, so that an adopted phone needs no restart."""

    def __init__(self, given: Sequence[str], path: Path | None, watch: AdbWatch | None) -> None:
        self._given = list(given)
        self._path = path
        self._watch = watch
        self._stamp: tuple[int, int] | None = None
        self._from_file = read_targets(path) if path else []

    def current(self) -> list[str]:
        self._reread()
        tracked = self._watch.targets if self._watch else []
        return list(dict.fromkeys([*self._given, *self._from_file, *tracked]))

    def _reread(self) -> None:
        if self._path is None:
            return
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
        except OSError:
            stamp = None
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._from_file = read_targets(self._path)
        except TargetsError as exc:
            # Half an edit must not drop a site's phones: the last good list holds until the file is good again.
            log.warning("targets file ignored until mended: %s", exc)


class AdbWatch:
    """Follows the local adb server's list of phones in a thread of its own.

    `up` is None until the server was seen: a site that reads by TCP alone has none, and lacks nothing.
    """

    def __init__(self, address: tuple[str, int], *, clock: Steady = steady) -> None:
        self._address = address
        self._clock = clock
        self.targets: list[str] = []
        self.up: bool | None = None
        self.first_try_ended = threading.Event()
        self._unnamed = 0

    def run(self, stop: threading.Event) -> None:
        wait = _RECONNECT_LEAST_S
        while not stop.is_set():
            began = Deadline(_RECONNECT_MOST_S, self._clock)
            try:
                self._follow(stop)
            except (TransportError, ValueError) as exc:
                if self.up:
                    log.warning("adb server gone: %s", exc)
                self.up = None if self.up is None else False
                self.targets = []
            self.first_try_ended.set()
            wait = _RECONNECT_LEAST_S if began.left() <= 0 else min(wait * 2, _RECONNECT_MOST_S)
            stop.wait(wait)

    def _nameable(self, devices: Sequence[ServerDevice]) -> list[str]:
        """Targets of the listed phones. adb calls those that it may not open `????????????` or `(no serial number)`."""
        found, unnamed = [], 0
        for device in devices:
            try:
                found.append(parse_target(f"server:{device.serial}").text)
            except BadTarget:
                unnamed += 1
        if unnamed != self._unnamed:
            log.warning(
                "adb server lists phones without a usable serial: %d (udev rules? `adb devices`)", unnamed
            )
        self._unnamed = unnamed
        return found

    def _follow(self, stop: threading.Event) -> None:
        from agent.adbserver import AdbServer

        with AdbServer(self._address, clock=self._clock).track() as tracker:
            while not stop.is_set():
                devices = tracker.wait(1.0)
                if devices is None:
                    continue
                if not self.up:
                    log.info("adb server found address=%s:%d", *self._address)
                self.up = True
                self.targets = self._nameable(devices)
                self.first_try_ended.set()
