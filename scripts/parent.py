"""What `make`, which started this program, has been told.

Ctrl-C at a terminal reaches both. A SIGINT sent to `make` alone does not: GNU make then waits for its children
without telling them, and would wait for ever.
"""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

_BLOCKED = re.compile(r"^SigBlk:\s*([0-9a-f]+)$", re.MULTILINE)


class Parent:
    """The process that started this one. Knows nothing, and says so, where there is no /proc."""

    def __init__(self) -> None:
        self._pid = os.getppid()
        self._is_make = self._read("comm").strip() in {"make", "gmake"}

    def wants_end(self) -> bool:
        """Whether `make` was interrupted or is gone."""
        if not self._is_make:
            return False
        if os.getppid() != self._pid:
            return True
        # It handles SIGINT, with that signal blocked, for as long as it waits for us.
        blocked = _BLOCKED.search(self._read("status"))
        return bool(blocked and int(blocked[1], 16) & 1 << (signal.SIGINT - 1))

    def _read(self, name: str) -> str:
        try:
            return Path(f"/proc/{self._pid}/{name}").read_text()
        except OSError:
            return ""
