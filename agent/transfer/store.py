"""The encrypted copy of one transfer, on this machine's disk until the new phone is proved to hold it.

STATE/transfers/<transfer>/ holds numbered files of sealed records (`agent/transfer/sealed.py`); number 0 is the
journal: which file is what. Neither a name nor a number of bytes of a phone's file can be read there. The key comes
with the order, sealed to this agent, and is nowhere but in memory: without it the copy is noise.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from agent.clock import wall
from agent.state import write_private
from agent.transfer.sealed import Appender, CopyDamaged, CopyFull, Digest, Journal, Sealer, content, records

FOLDER = "transfers"
JOURNAL = 0
RESERVE = 512 * 2**20
"""What a copy leaves free of this machine's disk: the spool must go on."""
_DAY_S = 86_400
_NAME = re.compile(r"[0-9a-fA-F-]{8,64}")
_KEEP, _RECEIPT = "keep", "ended"

Event = dict[str, Any]


class CopyStore:
    """Opened with `open_copy`. One thread at a time."""

    def __init__(self, folder: Path, sealer: Sealer, room: Callable[[Path], int]) -> None:
        self.folder = folder
        self._sealer = sealer
        self._room = room
        self._parts: dict[tuple[str, str], int] = {}
        self._last = JOURNAL
        self.events: list[Event] = []
        self._journal = self._open_journal()

    def log(self, event: Event) -> None:
        """Remember it. Raise `CopyFull`."""
        self._journal.log(json.dumps(event).encode())

    def new_number(self) -> int:
        """The number of a file that is not there yet."""
        self._last += 1
        return self._last

    def room(self) -> int:
        """Bytes that the copy may still take."""
        return max(0, self._room(self.folder))

    def resume(self, number: int, most: int) -> Appender:
        """Write a file on from its last whole record. Raise `CopyFull`.

        One that holds more than `most` bytes, or is damaged, or had its end, is begun anew.
        """
        at = held = 0
        digest = sha256()
        try:
            for text, flag, end in records(self._path(number), self._sealer, number):
                held, at = held + len(text), end
                digest.update(text)
                if flag or held > most:
                    raise CopyDamaged("not to be written on")
        except (CopyDamaged, FileNotFoundError):
            return self.create(number)
        return self._appender(number, at, held, digest)

    def create(self, number: int) -> Appender:
        """Write a file from its beginning; what was there under this number is gone. Raise `CopyFull`."""
        return self._appender(number, 0, 0, sha256())

    def read(self, number: int, skip: int = 0) -> Iterator[bytes]:
        """The texts of a whole file. Raise `CopyDamaged`."""
        return content(self._path(number), self._sealer, number, skip)

    def drop(self, number: int) -> None:
        """Remove one file."""
        self._path(number).unlink(missing_ok=True)

    def part(self, name: str) -> NamedTexts:
        """A personal part's own names."""
        return NamedTexts(self, name, self._parts)

    def close(self) -> None:
        self._journal.close()

    def _appender(self, number: int, at: int, held: int, digest: Digest) -> Appender:
        return Appender(self._path(number), self._sealer, number, at=at, held=held, digest=digest)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08d}"

    def _open_journal(self) -> Journal:
        """Raise `CopyDamaged` when the key is another one, or the journal was changed."""
        at = index = 0
        path = self._path(JOURNAL)
        if path.exists():
            for text, _, end in records(path, self._sealer, JOURNAL):
                at, index = end, index + 1
                self._take(json.loads(text))
        self._last = max([JOURNAL, *(int(p.name) for p in self.folder.iterdir() if p.name.isdigit())])
        journal = Journal(path, self._sealer, JOURNAL, at=at, index=index)
        if index == 0:
            journal.log(b'{"e": "begun"}')
        return journal

    def _take(self, event: Event) -> None:
        if event["e"] == "named":
            self._parts[event["part"], event["name"]] = event["n"]
        else:
            self.events.append(event)


class NamedTexts:
    """`agent.transfer.parts.PartStore` on a copy."""

    def __init__(self, copy: CopyStore, part: str, numbers: dict[tuple[str, str], int]) -> None:
        self._copy = copy
        self._part = part
        self._numbers = numbers

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        """Raise `CopyFull`; what `chunks` raises comes out."""
        number = self._copy.new_number()
        writer = self._copy.create(number)
        try:
            for chunk in chunks:
                writer.write(chunk)
            writer.finish()
        except BaseException:
            writer.close()
            self._copy.drop(number)
            raise
        self._copy.log({"e": "named", "part": self._part, "name": name, "n": number})
        former = self._numbers.get((self._part, name))
        self._numbers[self._part, name] = number
        if former is not None:
            self._copy.drop(former)

    def read(self, name: str) -> Iterator[bytes]:
        """Raise `KeyError`, `CopyDamaged`."""
        return self._copy.read(self._numbers[self._part, name])

    def has(self, name: str) -> bool:
        return (self._part, name) in self._numbers


def room_left(folder: Path) -> int:
    """Bytes that the disk of `folder` can give, but for the reserve."""
    return shutil.disk_usage(folder).free - RESERVE


def open_copy(
    root: Path, transfer: str, key: bytes, keep_days: int, *, room: Callable[[Path], int] = room_left
) -> CopyStore:
    """The copy of a transfer, begun or gone on with. One that this key does not open is destroyed and begun anew.

    Raise `CopyFull`, `ValueError` for a transfer that is no id.
    """
    folder = _folder(root, transfer)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / _KEEP).write_text(str(keep_days), encoding="ascii")
        (folder / _RECEIPT).unlink(missing_ok=True)
    except OSError as exc:
        raise CopyFull("no folder can be made for the copy") from exc
    sealer = Sealer(transfer, key)
    try:
        return CopyStore(folder, sealer, room)
    except (CopyDamaged, ValueError, KeyError, TypeError):
        destroy_copy(root, transfer)
        folder.mkdir(mode=0o700, parents=True)
        (folder / _KEEP).write_text(str(keep_days), encoding="ascii")
        return CopyStore(folder, sealer, room)


def destroy_copy(root: Path, transfer: str) -> bool:
    """Remove all of a copy; False: there was none. Raise `OSError` if something stays, `ValueError` for no id.

    There is no key to overwrite: it was never on this disk.
    """
    folder = _folder(root, transfer)
    if not folder.exists():
        return False
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    _flush(root)
    return True


def write_receipt(root: Path, transfer: str, command: str, detail: Mapping[str, Any]) -> None:
    """Note how an order ended, before its copy goes: killed in between, the agent still knows. No names are in it."""
    text = json.dumps({"command": command, "detail": detail}).encode()
    write_private(_folder(root, transfer) / _RECEIPT, text)


def receipt(root: Path, transfer: str, command: str) -> dict[str, Any] | None:
    """How this very order ended; None: it did not, or nobody knows any more."""
    try:
        noted = json.loads((_folder(root, transfer) / _RECEIPT).read_bytes())
        return dict(noted["detail"]) if noted["command"] == command else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def shred(root: Path, transfer: str) -> bool:
    """Remove all that a copy holds, its journal last; False: it held nothing. Raise `OSError` if something stays."""
    folder = _folder(root, transfer)
    if not folder.is_dir():
        return False
    held = sorted((path for path in folder.iterdir() if path.name.isdigit()), reverse=True)
    for path in held:
        path.unlink()
    _flush(folder)
    return bool(held)


def forget_old(root: Path, now_s: float | None = None) -> list[str]:
    """Destroy copies that nobody has asked for in the days that came with their orders; the transfers' ids."""
    if not root.is_dir():
        return []
    now_s = wall() if now_s is None else now_s
    gone = []
    for folder in root.iterdir():
        keep = folder / _KEEP
        try:
            if now_s - keep.stat().st_mtime > int(keep.read_text(encoding="ascii")) * _DAY_S:
                destroy_copy(root, folder.name)
                gone.append(folder.name)
        except (OSError, ValueError):
            # A folder without its number of days: it is looked at again at the next start.
            continue
    return gone


def _flush(folder: Path) -> None:
    """Make removals outlast a power cut."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _folder(root: Path, transfer: str) -> Path:
    if not _NAME.fullmatch(transfer):
        raise ValueError("a transfer's id is a uuid")
    return root / transfer
