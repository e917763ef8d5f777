"""Canned mode: commands answered by the emulator alone, with no process; for load and where mksh is
missing.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.phone import JOURNAL_MARK
from agent.simulator import minishell, shellv2
from agent.simulator.canned import render
from agent.simulator.journal import JournalFiles
from agent.simulator.output import Output, said
from agent.simulator.services import ShellRequest
from agent.simulator.state import PhoneState
from agent.simulator.stream import Stream

if TYPE_CHECKING:
    from agent.simulator.device import Device

SNAPSHOT_MARK = "# butler-snapshot"
_WRAPPED = re.compile(r"\(\n(.*)\n\)\necho ([0-9a-f]+:)\$\?", re.DOTALL)
"""How a command asks an old shell for its exit code."""


def execute(command: str, phone: PhoneState, stdin: bytes = b"") -> Output:
    """What the phone answers to a command string: the snapshot script as a whole, else a few simple
    commands.
    """
    if wrapped := _WRAPPED.fullmatch(command):
        output = execute(wrapped[1], phone, stdin)
        code = f"{wrapped[2]}{output.exit_code}\n".encode()
        return replace(output, stdout=output.stdout + output.stderr + code, stderr=b"", exit_code=0)
    if command.startswith(SNAPSHOT_MARK):
        return render(command, phone)
    if command.startswith(JOURNAL_MARK + "\n"):
        return said(phone.journal.install(phone))
    return minishell.execute(command, phone, stdin)


class _Stdin:
    """Collects standard input up to its end, for the commands that wait for it."""

    def __init__(self, done: Callable[[bytes], None], stream: Stream) -> None:
        self._done = done
        self._stream = stream
        self._frames = shellv2.FrameDecoder()
        self._data = bytearray()

    def receive(self, data: bytes) -> None:
        """Take the client's frames; the end of the input runs the command."""
        try:
            for kind, body in self._frames.feed(data):
                if kind == shellv2.STDIN:
                    self._data += body
                elif kind == shellv2.CLOSE_STDIN:
                    self._done(bytes(self._data))
        except shellv2.FrameError:
            self._stream.finish()

    def closed(self) -> None:
        """The client went: nothing is run."""


class CannedRunner:
    """Answers at once; an interactive shell ends at once. Standard input is ignored by all but `content write`."""

    def start(self, request: ShellRequest, stream: Stream, device: "Device") -> None:
        """Run the command and send all of its output."""
        if request.framed and request.command.startswith("content write "):
            stream.accept(_Stdin(lambda data: self._answer(request, stream, device, data), stream))
            return
        stream.accept()
        self._answer(request, stream, device)

    @staticmethod
    def _answer(request: ShellRequest, stream: Stream, device: "Device", stdin: bytes = b"") -> None:
        output = execute(request.command, device.state, stdin)
        if output.gone:
            device.drop_connections()
        elif not output.silent:
            stream.end_with(request.encode(output))

    async def went_down(self, device: "Device", *, orderly: bool) -> None:
        """Nothing runs between commands but the journal, as far as its file shows."""
        device.state.journal.end(device.state, orderly=orderly)

    def journal_killed(self, device: "Device") -> None:
        """It writes a last line, as it does at a TERM."""
        device.state.journal.kill(device.state)

    def journal_lost(self, device: "Device") -> None:
        """Nothing of it is left."""
        device.state.journal = JournalFiles()

    async def close(self) -> None:
        """Nothing to end."""
