"""A real process as a phone's shell service: its pipes or terminal on one side, the ADB stream on the
other.
"""

import asyncio
import contextlib
import fcntl
import os
import struct
import termios
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar

from agent.simulator import shellv2
from agent.simulator.services import ShellRequest
from agent.simulator.stream import Stream

_READ = 64 * 1024
_SIGNALLED = 128


class _TerminalEnd(asyncio.StreamReaderProtocol):
    """Takes a terminal's end, which Linux tells as an error, for an end: an error would hide what is not read yet."""

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(None if isinstance(exc, OSError) else exc)


class ShellProcess:
    """Runs `argv` on a stream that is already accepted; the client's bytes become its standard input."""

    def __init__(self, request: ShellRequest, stream: Stream) -> None:
        self._request = request
        self._stream = stream
        self._frames = shellv2.FrameDecoder()
        self._process: asyncio.subprocess.Process | None = None
        self._terminal: int | None = None
        self._started = asyncio.Event()
        self._gone = False

    def receive(self, data: bytes) -> Awaitable[None] | None:
        """Take stdin bytes or shell v2 frames; the awaitable ends when the process has room for more."""
        return self._take(data)

    def closed(self) -> None:
        """The client went: like adbd, close our ends and let the process find out."""
        self._gone = True
        process = self._process
        if process is None:
            return
        for number in (0, 1, 2):
            transport = process._transport.get_pipe_transport(number)  # type: ignore[attr-defined]
            if transport is not None:
                transport.close()

    async def run(self, argv: list[str], environment: dict[str, str], folder: Path) -> None:
        """Start the process, carry its output, close the stream with its exit code."""
        if self._request.pty:
            code = await self._run_on_terminal(argv, environment, folder)
        else:
            code = await self._run_on_pipes(argv, environment, folder)
        code = _SIGNALLED - code if code < 0 else code
        self._stream.end_with(shellv2.exit_frame(code) if self._request.framed else b"")

    async def _run_on_pipes(self, argv: list[str], environment: dict[str, str], folder: Path) -> int:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe if self._request.framed else asyncio.subprocess.STDOUT,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
        self._begin(process)
        assert process.stdout is not None
        copies = [self._copy(process.stdout, shellv2.STDOUT)]
        if process.stderr is not None:
            copies.append(self._copy(process.stderr, shellv2.STDERR))
        await asyncio.gather(*copies)
        return await process.wait()

    async def _run_on_terminal(self, argv: list[str], environment: dict[str, str], folder: Path) -> int:
        master, slave = os.openpty()
        self._terminal = master
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        pipe = os.fdopen(os.dup(master), "rb", buffering=0)
        transport, _ = await loop.connect_read_pipe(lambda: _TerminalEnd(reader), pipe)
        try:
            try:
                process = await asyncio.create_subprocess_exec(
                    *argv, stdin=slave, stdout=slave, stderr=slave, env=environment, cwd=folder
                )
            finally:
                # As long as we hold it, the terminal's end is never seen.
                os.close(slave)
            self._begin(process)
            await self._copy(reader, shellv2.STDOUT)
            return await process.wait()
        finally:
            transport.close()
            self._terminal = None
            os.close(master)

    def _begin(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._started.set()
        if self._gone:
            self.closed()

    async def _copy(self, reader: asyncio.StreamReader, kind: int) -> None:
        """Carry one output until its end, no faster than the client takes it."""
        while data := await reader.read(_READ):
            data = self._request.mend(data)
            self._stream.write(shellv2.frames(kind, data) if self._request.framed else data)
            await self._stream.drain()

    async def _take(self, data: bytes) -> None:
        await self._started.wait()
        if not self._request.framed:
            await self._feed(data)
            return
        try:
            for kind, body in self._frames.feed(data):
                action = self._ACTIONS.get(kind)
                if action is not None:
                    await action(self, body)
        except shellv2.FrameError:
            self._stream.finish()

    async def _feed(self, data: bytes) -> None:
        if self._terminal is not None:
            os.write(self._terminal, data)
            return
        stdin = self._process.stdin if self._process is not None else None
        if stdin is not None and not stdin.is_closing():
            with contextlib.suppress(ConnectionError):
                stdin.write(data)
                await stdin.drain()

    async def _close_stdin(self, data: bytes) -> None:
        stdin = self._process.stdin if self._process is not None else None
        if stdin is not None:
            stdin.close()

    async def _resize(self, data: bytes) -> None:
        size = shellv2.window_size(data)
        if size is not None and self._terminal is not None:
            fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

    _ACTIONS: ClassVar[dict[int, Callable[["ShellProcess", bytes], Awaitable[None]]]] = {
        shellv2.STDIN: _feed,
        shellv2.CLOSE_STDIN: _close_stdin,
        shellv2.WINDOW_SIZE: _resize,
    }
