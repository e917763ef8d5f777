"""Kind `count_contacts`: how many contacts a phone holds, never who they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent import wire
from agent.clock import Steady
from agent.commands import HAND_WAIT_S, candidates
from agent.errors import KeyFileError, TransportError
from agent.hands import Hands
from agent.inbox import Outcome
from agent.snapshot import read_snapshot
from agent.sweep import Serials
from agent.transport import CommandResult, TransportOptions, open_transport

COMMAND = (
    "content query --uri content://com.android.contacts/raw_contacts --projection _id --where 'deleted=0'"
)
COUNT_S = 60.0
READ_S = 60.0
# One column, and that a number: the values of others may hold line ends and commas.
_ROW = re.compile(r"Row: (\d+) _id=(?:\d+|NULL)", re.ASCII)
_NONE = "No result found."


@dataclass(frozen=True)
class CountContacts:
    """`targets` is the present list of the sweep."""

    options: TransportOptions
    hands: Hands
    serials: Serials
    targets: Callable[[], Sequence[str]]
    clock: Steady
    hand_wait_s: float = HAND_WAIT_S

    def __call__(self, command: wire.Command) -> Outcome:
        """`succeeded` with `{"contacts": N}`, or null and why: the phone was met and would not tell."""
        reason = "not_seen"
        for target in candidates(command.serial, self.serials, self.targets()):
            with self.hands.take(self.serials.hand(target), self.hand_wait_s) as free:
                if not free:
                    reason = "busy"
                    continue
                try:
                    return self._at(target, command)
                except TransportError as exc:
                    reason = exc.reason
                except KeyFileError:
                    reason = "unauthorized"
        return Outcome("not_now", {"reason": reason})

    def _at(self, target: str, command: wire.Command) -> Outcome:
        """Raise `TransportError`."""
        with open_transport(target, self.options) as transport:
            snapshot = read_snapshot(transport, history=False, clock=self.clock, deadline_s=READ_S)
            if not snapshot.identified or snapshot.body["identity"]["serial"] != command.serial:
                return Outcome("refused", {"reason": "other_phone"})
            number, reason = count_of(transport.run(COMMAND, COUNT_S))
        return Outcome("succeeded", {"contacts": number, **({"reason": reason} if reason else {})})


def count_of(result: CommandResult) -> tuple[int | None, str | None]:
    """(number, None), or (None, why): `denied`, `words` for an answer that is not wholly understood."""
    text = (result.stdout + b"\n" + result.stderr).decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if result.exit_code == 0 and lines == [_NONE]:
        return 0, None
    rows = [found for line in lines if (found := _ROW.fullmatch(line))]
    # Rows are numbered from nought: one that is missing or cut shows.
    if result.exit_code == 0 and lines and len(rows) == len(lines) and int(rows[-1][1]) == len(rows) - 1:
        return len(rows), None
    return None, "denied" if "SecurityException" in text or "Permission Denial" in text else "words"
