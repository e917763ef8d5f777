"""Where a run keeps its things and how its programs are called."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.bootstrap import build_runtime
from app.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
_BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Place:
    """One installation on this machine. `environment` is what all its processes get."""

    settings: Settings
    environment: Mapping[str, str]
    port: int
    demo: bool

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def public_url(self) -> str | None:
        return self.settings.public_url

    @property
    def logs(self) -> Path:
        return self.settings.var_dir / "log"

    def shown(self, path: Path) -> str:
        """A path for people: relative to the checkout where it lies in it."""
        return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def access_token(self) -> str:
        """The token, from the settings or the key file, which is made when it is first asked for."""
        return build_runtime(self.settings).access_token

    @property
    def keyring(self) -> Path:
        return self.settings.escrow_dir / "keyring.json"

    @property
    def recovery_key(self) -> Path:
        """The demo's, on a page to be printed."""
        return self.settings.var_dir / "recovery-key.txt"

    @property
    def passwords(self) -> Path:
        """What is filed for the demo's kits."""
        return self.settings.var_dir / "passwords.txt"

    @property
    def agent_state(self) -> Path:
        return self.settings.var_dir / "agent"

    @property
    def agent_environment(self) -> Mapping[str, str]:
        """What an agent needs of the environment: nothing of the server's settings or secrets."""
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
        return {name: self.environment[name] for name in kept if name in self.environment}

    def flask(self, *arguments: str) -> list[str]:
        return [str(_BIN / "flask"), "--app", "wsgi", *arguments]

    def agent(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "agent", *arguments]

    def gunicorn(self) -> list[str]:
        # All else stands in gunicorn.conf.py, for those who run gunicorn themselves too.
        return [str(_BIN / "gunicorn"), "--bind", f"127.0.0.1:{self.port}", "wsgi:app"]
