"""Many inserts and updates in few streams, with a limit, and no claim about what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.transfer.parts import PartProgress
from agent.transfer.people.provider import refusal
from agent.transport import Transport

BATCH = 40
_BATCH_S = 180.0
_FINAL = frozenset({"denied", "no_provider", "too_old"})


@dataclass
class Writer:
    """`left`: how many commands it may still run. `refused`: why the phone takes none; nothing more is run then."""

    transport: Transport
    longest: int
    left: int
    progress: PartProgress
    done: int = 0
    over_limit: int = 0
    too_long: int = 0
    refused: str | None = None

    def run(self, commands: Sequence[str], total: int | None = None) -> None:
        """Run them in their order as far as the limit goes. That they were done shows only in what is read after it:
        Android ignores some inserts without a word. Raise `TransportError`.
        """
        short = [command for command in commands if len(command.encode()) <= self.longest]
        self.too_long += len(commands) - len(short)
        allowed = short[: max(0, self.left)]
        self.over_limit += len(short) - len(allowed)
        for batch in self._batches(allowed):
            if self.refused is not None:
                return
            result = self.transport.run("\n".join(batch), _BATCH_S)
            why = refusal(result)
            # One row that a provider dislikes says nothing about the next; a denial does.
            self.refused = why if why in _FINAL else None
            self.left -= len(batch)
            self.done += len(batch)
            self.progress(self.done, total)

    def _batches(self, commands: Sequence[str]) -> Iterator[list[str]]:
        batch: list[str] = []
        size = 0
        for command in commands:
            length = len(command.encode()) + 1
            if batch and (len(batch) >= BATCH or size + length > self.longest):
                yield batch
                batch, size = [], 0
            batch.append(command)
            size += length
        if batch:
            yield batch
