"""States of a test's SQLite that take long to come to: made once a worker by the real services, then copied back.

The keys that a state was made with lie in files beside it and come back with it.
"""

from __future__ import annotations

import shutil
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask

from app.kernel.db import db

_SQLITE = "sqlite:///"


@dataclass(frozen=True)
class _State:
    database: bytes
    keys: Path
    value: Any


class Kept:
    """By name. `var`: the directory of a test's application, `value`: what Python knows of a state."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._states: dict[Hashable, _State] = {}

    def has(self, name: Hashable, url: str) -> bool:
        """Never of a PostgreSQL: it has no file to copy."""
        return url.startswith(_SQLITE) and name in self._states

    def value(self, name: Hashable, url: str) -> Any:
        """None where there is no such state."""
        return self._states[name].value if self.has(name, url) else None

    def keep(self, name: Hashable, app: Flask, url: str, var: Path, value: Any) -> None:
        if not url.startswith(_SQLITE):
            return
        keys = self._folder / str(len(self._states))
        shutil.copytree(var, keys)
        self._states[name] = _State(_closed(app, url).read_bytes(), keys, value)

    def bring_back(self, name: Hashable, url: str, var: Path) -> None:
        """For an application that has not been built yet, or of which `is_still` has just been asked."""
        state = self._states[name]
        shutil.copytree(state.keys, var, dirs_exist_ok=True)
        Path(url.removeprefix(_SQLITE)).write_bytes(state.database)

    def is_still(self, name: Hashable, app: Flask, url: str) -> bool:
        """Whether nothing at all was written since this state was made or brought back."""
        return self.has(name, url) and _closed(app, url).read_bytes() == self._states[name].database


def _closed(app: Flask, url: str) -> Path:
    """The file, with all that was written in it: the last connection that closes leaves no log beside it."""
    with app.app_context():
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()
    path = Path(url.removeprefix(_SQLITE))
    assert not path.with_name(f"{path.name}-wal").exists(), "somebody still writes"
    return path
