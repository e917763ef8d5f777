"""What one phone needs to run processes: its /proc, its question socket, its environment, its end."""

import asyncio
import contextlib
import os
import secrets
import signal
from pathlib import Path

from agent.simulator import android
from agent.simulator.android.system import SU, proc_files
from agent.simulator.listening import stop_listening
from agent.simulator.output import Output
from agent.simulator.services import ShellRequest
from agent.simulator.state import PhoneState

_TICK_S = 1.0
_GRACE_S = 2.0
_LOOK_S = 0.05
_MARK = "BUTLER_BOOT"
_KILL_ROUNDS = 20
_REAL_UNLESS_F = "stat"


class Room:
    """Folder of one phone below the fleet's tools folder; `open` is called before every command."""

    def __init__(self, folder: Path, tools: Path, phone: PhoneState) -> None:
        self.folder = folder
        self.proc = folder / "proc"
        self.mksh = str(tools / "bin" / "sh")
        self._tools = tools
        self._phone = phone
        self._answers = 0
        # Phones of one seed have the same boot ids in every fleet on this machine: those must not be mixed up.
        self._token = secrets.token_hex(8)
        self._written: dict[str, str] = {}
        self._server: asyncio.Server | None = None
        self._ticker: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Make the folder and its socket on first use; bring /proc up to date."""
        if not self.folder.exists():
            (self.proc / "sys/kernel/random").mkdir(parents=True)
            self._write_proc()
            self._server = await asyncio.start_unix_server(self._answer, self.folder / "ask")
            self._ticker = asyncio.ensure_future(self._tick())
        self._write_proc()
        self._place_su()

    def environment(self, request: ShellRequest) -> dict[str, str]:
        """Environment of a command. `BUTLER_BOOT` marks every process of this boot, however it detaches
        itself.
        """
        return {
            "PATH": str(self._tools / "bin"),
            "HOME": "/",
            "USER": "shell",
            "LOGNAME": "shell",
            "SHELL": "/system/bin/sh",
            "HOSTNAME": self._phone.identity.device,
            "ANDROID_ROOT": "/system",
            "ANDROID_DATA": "/data",
            "EXTERNAL_STORAGE": "/sdcard",
            "TMPDIR": str(self.folder),
            "TERM": request.term,
            "LC_ALL": "C.UTF-8",
            "BUTLER_PROC": str(self.proc),
            "BUTLER_ROOT": str(self.folder / "root"),
            "BUTLER_ASK": str(self.folder / "ask"),
            _MARK: self._mark(self._phone.boot_id),
        }

    async def end_processes(self, boot_id: str, *, orderly: bool) -> None:
        """Kill what a boot left running. An orderly shutdown sends TERM first and waits for those that heed it, as init
        does, but at most two seconds.
        """
        mark = self._mark(boot_id)
        if orderly and self.folder.exists():
            self._write_proc()
            left = _signal_all(mark, signal.SIGTERM)
            end = asyncio.get_running_loop().time() + _GRACE_S
            while left and asyncio.get_running_loop().time() < end:
                await asyncio.sleep(_LOOK_S)
                left = len(_marked(mark))
        _kill_all(mark)

    def _as_on_phone(self, word: str) -> str:
        """Undo what put the phone's paths on its tree: its own commands get the path that was typed."""
        tree = self._phone.tree
        return word.replace(str(tree.root), "") if tree is not None else word

    async def close(self) -> None:
        """Stop answering."""
        if self._ticker is not None:
            self._ticker.cancel()
        if self._server is not None:
            await stop_listening(self._server)

    async def _tick(self) -> None:
        """A script that stays and watches uptime must see it pass."""
        while True:
            await asyncio.sleep(_TICK_S)
            self._write_proc()

    def _mark(self, boot_id: str) -> str:
        return f"{self._token}.{boot_id}"

    def _place_su(self) -> None:
        """What a rooted phone has beside its system; scripts look for it below `BUTLER_ROOT`."""
        place = Path(f"{self.folder}/root{SU}")
        if self._phone.su:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        else:
            place.unlink(missing_ok=True)

    def _write_proc(self) -> None:
        for name, text in proc_files(self._phone).items():
            if self._written.get(name) == text:
                continue
            self._written[name] = text
            fresh = self.folder / "fresh"
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(self.proc / name)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One question: the number of arguments, the name, the arguments, the file that holds the standard input
        (or nothing), each ended by NUL.
        """
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, ValueError):
            count = int((await reader.readuntil(b"\0"))[:-1])
            words = [(await reader.readuntil(b"\0"))[:-1] for _ in range(count + 2)]
            *argv, given = [word.decode("utf-8", "surrogateescape") for word in words]
            writer.write(self._reply(argv, given))
            await writer.drain()
        writer.close()

    def _reply(self, argv: list[str], given: str) -> bytes:
        """`fall` for "the real toybox may do it", else exit code and the path (without suffix) of the
        output.
        """
        if argv[0] == _REAL_UNLESS_F and "-f" not in argv:
            return b"fall"
        stdin = Path(given).read_bytes() if given else b""
        if given:
            Path(given).unlink()
        output: Output = android.run([self._as_on_phone(word) for word in argv], self._phone, stdin)
        self._answers += 1
        place = self.folder / str(self._answers)
        place.with_suffix(".out").write_bytes(output.stdout)
        place.with_suffix(".err").write_bytes(output.stderr)
        return f"{output.exit_code} {place}".encode()


def _kill_all(mark: str) -> None:
    """Kill until nothing is left: a process may start another between our look at it and its end."""
    for _ in range(_KILL_ROUNDS):
        if not _signal_all(mark, signal.SIGKILL):
            return


def _signal_all(mark: str, number: signal.Signals) -> int:
    """Signal every process whose environment carries this mark; how many there were."""
    count = 0
    for pid in _marked(mark):
        with contextlib.suppress(OSError):
            os.kill(pid, number)
            count += 1
    return count


def _marked(mark: str) -> list[int]:
    wanted = f"{_MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found
