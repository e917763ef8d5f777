"""The agent's state directory: its keys, who it is, what it spooled.

ed25519.pem x25519.pem   the agent's own keys, mode 0600
agent.json               identity: server, agent id, the server's pinned command key
spool.db                 what waits to be reported (`agent/spool.py`)
targets.txt              phones that are reached by TCP (`agent/targets.py`)
transfers/               encrypted copies of phones' data on their way (`agent/transfer/store.py`)
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from agent import wire
from agent.errors import AgentError

Kind = Literal["gateway", "self"]
DEFAULT_STATE = "~/.butler-agent"
_OURS = {
    "agent.json",
    "ed25519.pem",
    "x25519.pem",
    "spool.db",
    "targets.txt",
    "labels",
    "lock",
    "adbkey",
    "renew",
    "transfers",
}


class StateError(AgentError):
    """The state directory cannot be used; the text says which file and what to do."""


@dataclass(frozen=True)
class Identity:
    """Who this agent is to its server. `command_key` is the pinned Ed25519 key, base64.

    `danger_key` is that of dangerous commands, pinned when the server first tells it; "" until then.
    """

    server_url: str
    agent_id: str
    command_key: str
    name: str
    kind: Kind
    interval_s: int
    danger_key: str = ""

    def verifier(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(wire.unb64(self.command_key, 32))

    def command_keys(self) -> dict[str, Ed25519PublicKey]:
        """The pinned keys by the purpose of the commands that each may sign."""
        keys = {wire.COMMAND_PURPOSE: self.verifier()}
        if self.danger_key:
            keys[wire.DANGER_PURPOSE] = Ed25519PublicKey.from_public_bytes(wire.unb64(self.danger_key, 32))
        return keys

    def sound(self) -> bool:
        """Whether the fields are of their types: they come from a file."""
        texts = (self.server_url, self.agent_id, self.name)
        return (
            all(type(t) is str for t in texts)
            and self.kind in get_args(Kind)
            and type(self.interval_s) is int
        )


@dataclass(frozen=True)
class Keys:
    ed25519: Ed25519PrivateKey
    x25519: X25519PrivateKey


class State:
    """One agent's directory, mode 0700. Every method raises `StateError`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spool = path / "spool.db"
        self.targets = path / "targets.txt"
        self.labels = path / "labels"
        self.transfers = path / "transfers"
        self._identity = path / "agent.json"
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _keep_others_out(path)
        except OSError as exc:
            raise StateError(f"cannot use the state directory {path}: {exc.strerror}") from exc

    def keys(self) -> Keys:
        """The agent's keys, made on first use. They are on disk before anybody hears of them."""
        ed = self._key("ed25519.pem", Ed25519PrivateKey)
        x = self._key("x25519.pem", X25519PrivateKey)
        return Keys(cast(Ed25519PrivateKey, ed), cast(X25519PrivateKey, x))

    def identity(self) -> Identity | None:
        """None: not enrolled yet."""
        try:
            raw = json.loads(self._identity.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as exc:
            raise StateError(f"cannot read {self._identity}: {exc}") from exc
        try:
            identity = Identity(**raw)
            identity.command_keys()
        except (TypeError, ValueError) as exc:
            raise StateError(f"{self._identity} is damaged; enrol again with --renew") from exc
        if not identity.sound():
            raise StateError(f"{self._identity} is damaged; enrol again with --renew")
        return identity

    def save_identity(self, identity: Identity) -> None:
        self._write(self._identity, json.dumps(asdict(identity), ensure_ascii=False, indent=1).encode())

    def successor(self) -> State:
        """Where a new identity is made while this one is still in use; the same until it takes over."""
        return State(self.path / "renew")

    def take_over(self, successor: State) -> None:
        """Put keys and identity of the successor in place of these; again after a kill. What is spooled stays."""
        try:
            # The identity last: as long as it is there, a second call knows that it has to go on.
            for name in ("ed25519.pem", "x25519.pem", "agent.json"):
                if (successor.path / name).exists():
                    (successor.path / name).replace(self.path / name)
            _sync_directory(self.path)
            shutil.rmtree(successor.path)
        except OSError as exc:
            raise StateError(f"cannot renew the identity in {self.path}: {exc.strerror}") from exc

    @contextmanager
    def only_one(self) -> Iterator[None]:
        """Hold the directory for this process: two agents on one spool would report everything twice."""
        try:
            handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as exc:
            raise StateError(f"cannot use the state directory {self.path}: {exc.strerror}") from exc
        with os.fdopen(handle, "r+b"):
            if not _try_lock(handle):
                raise StateError(f"another agent is running with the state directory {self.path}")
            yield

    def _key(self, name: str, kind: type[Ed25519PrivateKey | X25519PrivateKey]) -> object:
        path = self.path / name
        if not path.exists():
            made = kind.generate()
            self._write(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        try:
            key = load_pem_private_key(path.read_bytes(), None)
        except (OSError, ValueError, TypeError) as exc:
            raise StateError(f"cannot read the key {path}; restore it or enrol again with --renew") from exc
        if not isinstance(key, kind):
            raise StateError(f"{path} holds a key of another kind; enrol again with --renew")
        return key

    def _write(self, path: Path, content: bytes) -> None:
        try:
            write_private(path, content)
        except OSError as exc:
            raise StateError(f"cannot write {path}: {exc.strerror}") from exc


def _keep_others_out(path: Path) -> None:
    """Mode 0700 for a directory of ours; a home or /tmp is not closed to the others. Raise `OSError`."""
    if not stat.S_IMODE(path.stat().st_mode) & 0o077:
        return
    names = {entry.name for entry in path.iterdir()}
    if names and not names & _OURS:
        raise StateError(
            f"{path} holds other things and is open to others: give the agent a directory of its own"
        )
    path.chmod(0o700)


def write_private(path: Path, content: bytes) -> None:
    """Put a whole file of mode 0600 at `path`: a crash leaves the old one or the new one. Raise `OSError`."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
        _sync_directory(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _sync_directory(path: Path) -> None:
    """Make a rename outlast a power cut; Windows cannot open directories and needs no such step."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
