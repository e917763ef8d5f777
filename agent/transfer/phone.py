"""What a phone is asked about its files, in few commands: on a phone each process costs some ten milliseconds.

Names never stand in a command. They are pushed as a list that ends each with NUL, so that quotes, line ends and bytes
that are no UTF-8 are nothing special; they are relative to the storage's root and begin with `./`, so that none is an
option. What a command prints of them is read along the list that was given: what is not there was not printed.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.errors import OutputTooLarge, Refused, TransportFault
from agent.transport import Transport

ROOT = "/sdcard"
_TMP = "/data/local/tmp"
ASK_S = 60.0
HASH_S = 3600.0
_MAX_LISTING = 64 * 2**20
LIST_BYTES = 48 * 1024
"""Of names in one list: `xargs` then makes one process of it, never two."""
READ_BLOCK, WRITE_BLOCK = 2**18, 2**16
_STAT = re.compile(rb"(\d{1,18}) (-?\d{1,20}) ")
_HASH = re.compile(rb"([0-9a-f]{40}|[0-9a-f]{64})  ")
Tool = Literal["sha256sum", "sha1sum"]
Placed = Literal["moved", "exists", "failed"]

_PLACE = """while [ $# -gt 1 ]; do
d=${2%/*}
if [ -e "$2" ] || [ -L "$2" ]; then echo exists
elif { [ -d "$d" ] || mkdir -p "$d"; } && mv -n "$1" "$2" && [ ! -e "$1" ] && [ -e "$2" ]; then echo moved
else echo failed
fi
shift 2
done"""
# The media scanner of any release is asked by one of the two; a folder that it does not like is no failure.
_SCAN = """for d; do
am broadcast -a android.intent.action.MEDIA_SCANNER_SCAN_FILE -d "file:///sdcard/${d#./}" >/dev/null 2>&1
done
content call --uri content://media --method scan_volume --arg external_primary >/dev/null 2>&1
true"""


@dataclass(frozen=True, slots=True)
class Found:
    """A file: its path under the root, its size in bytes, its modification time in whole epoch seconds."""

    path: bytes
    size: int
    mtime: int


def stage_of(token: str) -> str:
    """The folder, below the root, in which files lie until they have their place."""
    return f".butler-transfer-{token}"


class PhoneFiles:
    """The shared storage of the phone behind a transport. Raise `TransportError`. `token` names this work's lists."""

    def __init__(self, transport: Transport, token: str) -> None:
        self.transport = transport
        self._list = f"{_TMP}/butler-list-{token}"

    def listed(self, folder: str) -> tuple[list[Found], bool]:
        """Every file below `folder` (relative to the root), links not followed; False: not all could be looked at.

        A folder that is not there has none.
        """
        quoted, listing = shlex.quote("./" + folder), shlex.quote(self._list)
        taken = _Taken(_MAX_LISTING)
        search = f"if [ -d {quoted} ]; then find {quoted} -type f -print0 >{listing}; c=$?; cat {listing}; exit $c; fi"
        code = self._stream(search, taken).exit_code
        told = [name for name in bytes(taken.data).split(b"\0") if name]
        names = [name for name in told if _below(folder, name)]
        code = code or len(told) - len(names)
        if not names:
            return [], code == 0
        details = _Taken(2 * _MAX_LISTING)
        self._stream(f"xargs -0 stat -c '%s %Y %n' <{listing} 2>/dev/null", details)
        return list(_found(names, bytes(details.data))), code == 0

    def stats(self, names: Sequence[bytes]) -> dict[bytes, Found]:
        """Those of `names` that are there."""
        raw = self._on_list(names, "xargs -0 stat -c '%s %Y %n'", ASK_S)
        return {found.path: found for found in _found(names, raw)}

    def hashes(self, names: Sequence[bytes], tool: Tool = "sha256sum") -> dict[bytes, str]:
        """Hexadecimal hash by name, of those that are there and can be read."""
        raw = self._on_list(names, f"xargs -0 {tool}", HASH_S)
        return {name: match[1].decode() for name, match in _along(names, raw, _HASH)}

    def hash_tool(self) -> Tool | None:
        """The best that this phone has; None before Android 6."""
        known: tuple[Tool, ...] = ("sha256sum", "sha1sum")
        said = self.transport.run("command -v sha256sum; command -v sha1sum; true", ASK_S).stdout.decode(
            "ascii", "replace"
        )
        return next((tool for tool in known if re.search(rf"\b{tool}\b", said)), None)

    def pour(self, names: Sequence[bytes], sink: Callable[[bytes], None]) -> None:
        """The contents of `names` one after the other; what cannot be read is left out."""
        self._give(names)
        self._stream(f"xargs -0 cat <{shlex.quote(self._list)} 2>/dev/null", sink)

    def pour_from(self, name: bytes, start: int, sink: Callable[[bytes], None]) -> None:
        """One file from byte `start` on, a multiple of `READ_BLOCK`. Raise `Refused` when it cannot be read."""
        self._give([name])
        skip = f"sh -c 'exec dd if=\"$0\" bs={READ_BLOCK} skip={start // READ_BLOCK} 2>/dev/null'"
        done = self._stream(f"xargs -0 {skip} <{shlex.quote(self._list)}", sink)
        if done.exit_code != 0:
            raise Refused("the file cannot be read")

    def free_bytes(self) -> int | None:
        """What the shared storage has room for; None where the phone's answer is not understood."""
        lines = self.transport.run(f"df -k {ROOT}", ASK_S).stdout.decode("utf-8", "replace").splitlines()
        words = lines[-1].split() if len(lines) > 1 else []
        return int(words[-3]) * 1024 if len(words) >= 5 and words[-3].isdigit() else None

    def size(self, name: str) -> int:
        """Of a file of ours, whose name is plain; 0 when it is not there."""
        said = self._run(f"stat -c %s {shlex.quote(name)} 2>/dev/null || true").strip()
        return int(said) if said.isdigit() else 0

    def write_at(self, name: str, start: int, chunks: Iterator[bytes], deadline_s: float) -> None:
        """Write on a file of ours from byte `start`, a multiple of `WRITE_BLOCK`. Raise `Refused`: no room, no way."""
        command = (
            f"cd {ROOT} && mkdir -p {shlex.quote(name.rpartition('/')[0])} && "
            f"dd of={shlex.quote(name)} bs={WRITE_BLOCK} seek={start // WRITE_BLOCK} conv=notrunc 2>/dev/null"
        )
        if self.transport.feed(command, chunks, deadline_s).exit_code != 0:
            raise Refused("the file cannot be written")

    def place(self, moves: Sequence[tuple[bytes, bytes]]) -> list[Placed]:
        """Give files of ours their names, never in place of another file; what became of each."""
        names = [name for move in moves for name in move]
        raw = self._on_list(names, f"xargs -0 sh -c {shlex.quote(_PLACE)} place", ASK_S * 5)
        known: dict[bytes, Placed] = {b"moved": "moved", b"exists": "exists", b"failed": "failed"}
        try:
            told = [known[line] for line in raw.splitlines()]
        except KeyError as exc:
            raise TransportFault("not what placing files answers") from exc
        if len(told) != len(moves):
            raise TransportFault("not as many answers as files to place")
        return told

    def touch(self, name: bytes, mtime: int) -> None:
        """Set a modification time; that a phone cannot is no failure."""
        self._on_list([name], f"xargs -0 touch -d @{mtime}", ASK_S)

    def scan(self, folders: Sequence[bytes]) -> None:
        """Let the gallery know; whether it does is not asked."""
        self._on_list(folders, f"xargs -0 sh -c {shlex.quote(_SCAN)} scan", ASK_S * 5)

    def remove(self, name: str) -> None:
        """Remove a folder of ours, whose name is plain, and the list."""
        self._run(f"rm -rf {shlex.quote(name)}; rm -f {shlex.quote(self._list)}; true")

    def _give(self, names: Sequence[bytes]) -> None:
        self.transport.send([b"\0".join(names) + b"\0"], self._list, ASK_S, mode=0o600)

    def _on_list(self, names: Sequence[bytes], command: str, deadline_s: float) -> bytes:
        """What a command prints that gets the names as its arguments; its words on stderr and its code do not count."""
        if not names:
            return b""
        self._give(names)
        taken = _Taken(_MAX_LISTING)
        self._stream(f"{command} <{shlex.quote(self._list)} 2>/dev/null; true", taken, deadline_s)
        return bytes(taken.data)

    def _run(self, command: str) -> str:
        return self.transport.run(f"cd {ROOT} && {command}", ASK_S).stdout.decode("utf-8", "replace")

    def _stream(self, command: str, sink: Callable[[bytes], None], deadline_s: float = HASH_S):  # type: ignore[no-untyped-def]
        return self.transport.stream(
            f"cd {ROOT} && {{ {command}\n}}", sink, deadline_s, idle_s=deadline_s / 10
        )


class _Taken:
    """A sink that keeps what comes. Raise `OutputTooLarge`."""

    def __init__(self, limit: int) -> None:
        self.data = bytearray()
        self._limit = limit

    def __call__(self, piece: bytes) -> None:
        self.data += piece
        if len(self.data) > self._limit:
            raise OutputTooLarge("more names than can be moved")


def lists(names: Sequence[bytes], most: int) -> Iterator[Sequence[bytes]]:
    """The names in lists of at most `most`, none longer than one process takes."""
    taken: list[bytes] = []
    size = 0
    for name in names:
        if taken and (len(taken) == most or size + len(name) > LIST_BYTES):
            yield taken
            taken, size = [], 0
        taken.append(name)
        size += len(name) + 1
    if taken:
        yield taken


def _found(names: Sequence[bytes], raw: bytes) -> Iterator[Found]:
    for name, match in _along(names, raw, _STAT):
        # toybox prints a time before 1970 as if it had no sign.
        mtime = int(match[2])
        yield Found(name, int(match[1]), mtime - 2**64 if mtime >= 2**63 else mtime)


def _below(folder: str, name: bytes) -> bool:
    """Whether a listed name lies in the folder that was asked for. What a phone says becomes a name on another phone:
    one that leads out of its folder would be written there, anywhere that shell may write.
    """
    parts = name.split(b"/")
    return name.startswith(f"./{folder}/".encode()) and not {b"", b".", b".."} & set(parts[1:])


def _along(
    names: Sequence[bytes], raw: bytes, before: re.Pattern[bytes]
) -> Iterator[tuple[bytes, re.Match[bytes]]]:
    """Each name that was printed behind a match of `before`. Raise `TransportFault` when something else was."""
    at = 0
    for name in names:
        match = before.match(raw, at)
        if match and raw.startswith(name + b"\n", match.end()):
            yield name, match
            at = match.end() + len(name) + 1
    if at != len(raw):
        raise TransportFault("not what was asked about files")
