"""Canned mode: commands answered by the emulator alone, with no process; for load and where mksh is
missing.
"""

from typing import TYPE_CHECKING

from agent.phone import JOURNAL_MARK
from agent.simulator import minishell
from agent.simulator.canned import render
from agent.simulator.journal import JournalFiles
from agent.simulator.output import Output, said
from agent.simulator.services import ShellRequest
from agent.simulator.state import PhoneState
from agent.simulator.stream import Stream

if TYPE_CHECKING:
    from agent.simulator.device import Device

SNAPSHOT_MARK = "# butler-snapshot"


def execute(command: str, phone: PhoneState) -> Output:
    """What the phone answers to a command string: the snapshot script as a whole, else a few simple
    commands.
    """
    if command.startswith(SNAPSHOT_MARK):
        return render(command, phone)
    if command.startswith(JOURNAL_MARK + "\n"):
        return said(phone.journal.install(phone))
    return minishell.execute(command, phone)


class CannedRunner:
    """Answers at once; standard input is ignored, an interactive shell ends at once."""

    def start(self, request: ShellRequest, stream: Stream, device: "Device") -> None:
        """Run the command and send all of its output."""
        stream.accept()
        output = execute(request.command, device.state)
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
