"""Two simulated phones and a store in memory, for the parts alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from agent.errors import TransportError
from agent.simulator.fleet import Fleet
from agent.simulator.people import people_of
from agent.transfer.parts import Part, PartReport
from agent.transfer.people import make_parts
from agent.transport import Transport, open_transport

StartFleet = Callable[..., Fleet]


class MemoryStore:
    """A name is written whole or not at all."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        self.kept[name] = b"".join(chunks)

    def read(self, name: str) -> Iterator[bytes]:
        text = self.kept[name]
        # Cut otherwise than it was written.
        yield from (text[at : at + 1000] for at in range(0, len(text), 1000))

    def has(self, name: str) -> bool:
        return name in self.kept


class Moving:
    """Time passes only while something sleeps. `wrap` may put something between a part and its phone."""

    def __init__(self, fleet: Fleet, name: str = "contacts", **limits: Any) -> None:
        self.fleet = fleet
        self.store = MemoryStore()
        self.now = 0.0
        self.notes: list[str | None] = []
        self.at_sleep: Callable[[], object] = lambda: None
        self.wrap: Callable[[Transport], Transport] = lambda transport: transport
        self.part: Part = make_parts([name], {"insert_rows": 20_000} | limits, lambda: self.now, self.sleep)[
            0
        ]

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.at_sleep()

    def progress(self, done: int, total: int | None, note: str | None = None) -> None:
        assert done >= 0
        self.notes.append(note)

    def at(self, index: int) -> Transport:
        return self.wrap(open_transport(f"tcp:127.0.0.1:{self.fleet.ports[index]}"))

    def collect(self) -> Any:
        with self.at(0) as old:
            return self.part.collect(old, self.store, self.progress)

    def deliver(self) -> Any:
        with self.at(1) as new:
            return self.part.deliver(new, self.store, self.progress)

    def verify(self) -> PartReport:
        with self.at(1) as new:
            return self.part.verify(new, self.store, self.progress)

    def all(self) -> PartReport:
        self.collect()
        self.deliver()
        return self.verify()

    def count(self, table: str = "raw_contacts", where: str = "1", phone: int = 1) -> int:
        sql = f"select count(*) from {table} where {where}"
        found: int = people_of(self.fleet.phones[phone]).db.execute(sql).fetchone()[0]
        return found

    def change(self, sql: str, values: Sequence[Any] = (), phone: int = 1) -> None:
        people_of(self.fleet.phones[phone]).db.execute(sql, tuple(values))


def again(action: Callable[[], Any], most: int = 400) -> Any:
    """Make the call anew after each cut, as the engine does."""
    for _ in range(most):
        try:
            return action()
        except TransportError:
            continue
    raise AssertionError("it never came to an end")


def two(start: StartFleet, *, old: dict[str, Any], new: dict[str, Any] | None = None, **both: Any) -> Fleet:
    """An old phone and a new one, on which somebody taps at once."""
    fleet = start(2, **both)
    for index, fields in ((0, old), (1, {"import_tap": "auto"} | (new or {}))):
        for name, value in fields.items():
            assert hasattr(fleet.phones[index], name)
            setattr(fleet.phones[index], name, value)
    return fleet
