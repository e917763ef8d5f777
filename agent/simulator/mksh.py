"""mksh mode: command strings run by the machine's mksh with real toybox, a phone's own commands by the
emulator.

Every Android command on PATH is one small mksh script that sends its arguments over a unix socket to this
process (toybox nc: some 3 ms a call, a Python start would be 30) and prints the answer. Each phone has a
folder with the files which stand for /proc. Absolute paths of the phone in a command string are put on the
phone's own tree; inside a pushed script they are the machine's, so such scripts must find their files by
`$0` or a variable.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from agent.simulator import android
from agent.simulator.process import ShellProcess
from agent.simulator.room import Room
from agent.simulator.scratch import Scratch
from agent.simulator.services import ShellRequest
from agent.simulator.stream import Stream

if TYPE_CHECKING:
    from agent.simulator.device import Device

# Debian's toybox has no awk, dd, tr and gzip, and its `grep '^.x'` finds nothing; phones have all of them.
_FROM_MACHINE = ("grep", "awk", "tr", "gzip", "timeout", "dd")
_EMULATED = android.NAMES - {"cat"}
_PATHS = re.compile(
    r"(?<![\w./}-])/(data/local/tmp|sdcard|storage/emulated/0|proc/uptime|proc/sys/kernel/random/boot_id)(?![\w-])"
)
_END_S = 5.0
_SHIM = """#!{mksh}
say() {{ for w; do print -rn -- "$w"; print -n '\\0'; done; }}
i=
[[ ${{0##*/}} == content && $1 == write ]] && i=$TMPDIR/in.$$ && {toybox} cat >"$i"
r=$(say "$#" "${{0##*/}}" "$@" "$i" | {toybox} nc -U "$BUTLER_ASK")
case $r in
fall) exec {toybox} "${{0##*/}}" "$@" ;;
[0-9]*' '*) f=${{r#* }}; cat "$f.out"; cat "$f.err" >&2
  {toybox} rm -f "$f.out" "$f.err"; exit "${{r%% *}}" ;;
esac
exit 126
"""


class MkshRunner:
    """Runs commands as processes, all phones over one folder of tools; made on the first command."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._folder: Path | None = None
        self._rooms: dict[int, Room] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @staticmethod
    def available() -> bool:
        """Whether this machine has mksh and toybox."""
        return shutil.which("mksh") is not None and shutil.which("toybox") is not None

    def start(self, request: ShellRequest, stream: Stream, device: "Device") -> None:
        """Accept the stream and run the request's command, or an interactive shell for none."""
        process = ShellProcess(request, stream)
        stream.accept(process)
        task = asyncio.ensure_future(self._run(process, request, device))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def went_down(self, device: "Device", *, orderly: bool) -> None:
        """End the phone's processes, also those that left their session."""
        room = self._rooms.get(id(device))
        if room is not None:
            await room.end_processes(device.state.boot_id, orderly=orderly)

    def journal_killed(self, device: "Device") -> None:
        """TERM to the process whose number the journal keeps."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            os.kill(int(_journal_file(device, ".pid").read_text(encoding="ascii").split()[0]), signal.SIGTERM)

    def journal_lost(self, device: "Device") -> None:
        """Its process finds out by itself."""
        for path in _journal_file(device, "").parent.glob("butler-journal*"):
            path.unlink(missing_ok=True)

    async def close(self) -> None:
        """Wait for the killed processes to be gone, then delete the folders."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_END_S)
        for room in self._rooms.values():
            await room.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _run(self, process: ShellProcess, request: ShellRequest, device: "Device") -> None:
        room = await self._room(device)
        argv = (
            [room.mksh, "-c", self._placed(request.command, room, device)] if request.command else [room.mksh]
        )
        if request.pty:
            argv = [str(self._tools() / "bin" / "setsid"), "-c", *argv, *([] if request.command else ["-i"])]
        await process.run(argv, room.environment(request), device.files.root)

    @staticmethod
    def _placed(command: str, room: Room, device: "Device") -> str:
        """The command with the phone's absolute paths put on its tree."""

        def place(match: re.Match[str]) -> str:
            path = match[0]
            return str(room.proc / path[6:]) if path.startswith("/proc/") else str(device.files.real(path))

        return _PATHS.sub(place, command)

    async def _room(self, device: "Device") -> Room:
        room = self._rooms.get(id(device))
        if room is None:
            room = self._rooms[id(device)] = Room(
                self._tools() / f"p{len(self._rooms)}", self._tools(), device.state
            )
        await room.open()
        return room

    def _tools(self) -> Path:
        """The folder on PATH: toybox's commands, a few of the machine's, and the shims over them."""
        if self._folder is None:
            self._folder = self._scratch.new("t-")
            _fill(self._folder)
        return self._folder


def _journal_file(device: "Device", suffix: str) -> Path:
    return device.files.real("/data/local/tmp/butler-journal" + suffix)


def _fill(folder: Path) -> None:
    toybox, mksh = shutil.which("toybox"), shutil.which("mksh")
    assert toybox is not None
    assert mksh is not None
    tools = folder / "bin"
    tools.mkdir()
    for name in _toybox_names(toybox) - _EMULATED - {*_FROM_MACHINE, "su"}:
        (tools / name).symlink_to(toybox)
    for name in _FROM_MACHINE:
        found = shutil.which(name)
        if found is not None:
            (tools / name).symlink_to(found)
    (tools / "toybox").symlink_to(toybox)
    (tools / "sh").symlink_to(mksh)
    shim = tools / ".shim"
    shim.write_text(_SHIM.format(mksh=mksh, toybox=toybox), encoding="utf-8")
    shim.chmod(0o755)
    for name in _EMULATED:
        (tools / name).symlink_to(".shim")


def _toybox_names(toybox: str) -> set[str]:
    listed = subprocess.run([toybox], capture_output=True, text=True, check=True).stdout
    return {name for name in listed.split() if "/" not in name}
