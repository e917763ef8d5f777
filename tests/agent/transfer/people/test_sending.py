"""The vCard file on a line that breaks: it goes on where it was, and is never on two screens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.errors import TransportError, TransportFault
from agent.simulator.people import people_of
from agent.transfer.parts import Part
from agent.transfer.people import make_parts
from tests.agent.transfer.people.rig import MemoryStore
from tests.agent.transfer.rig import Rig

COUNT = 11
PACKET = 2**18


class Breaking:
    """A transport whose line breaks after so many bytes of input."""

    def __init__(self, inner: Any, left: int, fed: list[str]) -> None:
        self._inner, self._left, self._fed = inner, left, fed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def feed(self, command: str, chunks: Iterator[bytes], deadline_s: float) -> Any:
        self._fed.append(command)

        def some() -> Iterator[bytes]:
            for chunk in chunks:
                if self._left <= 0:
                    raise TransportFault("cut", reason="dropped")
                self._left -= len(chunk)
                yield chunk

        return self._inner.feed(command, some(), deadline_s)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path).up() as made:
        made.phones[0].contacts, made.phones[1].contacts = COUNT, 0
        made.phones[1].import_tap = "auto"
        # An Android of this age takes packets of 256 KiB, of which the file is to be several.
        made.phones[1].identity.sdk = 26
        people_of(made.phones[0]).db.execute(
            "insert into data (raw_contact_id, mimetype, data1) select _id, ?, ? from raw_contacts",
            ("vnd.android.cursor.item/note", "长" * 24_000),
        )
        yield made


def _unheard(done: int, total: int | None, note: str | None = None) -> None:
    assert done >= 0


class Sending:
    """`fed`: the commands that were given the file; `opened`: how often the import screen was."""

    def __init__(self, rig: Rig) -> None:
        self.rig, self.store = rig, MemoryStore()
        self.fed: list[str] = []
        now = [0.0]

        def sleep(seconds: float) -> None:
            now[0] += seconds
            self.at_sleep()

        self.at_sleep: Callable[[], object] = lambda: None
        limits = {"import_from_rows": 5}
        self.make: Callable[[], Part] = lambda: make_parts(["contacts"], limits, lambda: now[0], sleep)[0]
        self.part = self.make()
        with rig.phone(0)() as old:
            self.part.collect(old, self.store, _unheard)

    def deliver(self, most: int = 10**9) -> None:
        with self.rig.phone(1)() as new:
            self.part.deliver(
                Breaking(new, most, self.fed),  # type: ignore[arg-type]
                self.store,
                _unheard,
            )

    def on_phone(self) -> list[Path]:
        return list((self.rig.new / "Download").glob("*.vcf"))

    def count(self) -> int:
        found: int = (
            people_of(self.rig.phones[1]).db.execute("select count(*) from raw_contacts").fetchone()[0]
        )
        return found


def test_a_file_of_contacts_goes_on_where_it_was_cut_off(rig: Rig) -> None:
    sending = Sending(rig)
    before = sending.part.held
    with pytest.raises(TransportError):
        sending.deliver(PACKET + 1)
    with pytest.raises(TransportError):
        sending.deliver(PACKET + 1)
    assert any(now > then for now, then in zip(sending.part.held, before, strict=True))
    # The agent was started anew: what it has is the copy.
    sending.part = sending.make()
    sending.deliver()
    starts = [int(command.split("seek=")[1].split()[0]) for command in sending.fed]
    assert starts[0] == 0 < starts[1] < starts[2]
    assert sending.count() == COUNT
    with rig.phone(1)() as new:
        assert sending.part.verify(new, sending.store, _unheard).outcome == "verified"
    assert sending.on_phone() == []


def test_a_file_that_was_opened_is_never_gone_on_with(rig: Rig) -> None:
    """Somebody may tap on the screen that has it; that screen then finds nothing."""
    rig.phones[1].import_tap = "ask"
    sending = Sending(rig)
    sending.at_sleep = rig.proxies[1].pull
    with pytest.raises(TransportError):
        sending.deliver()
    (first,) = sending.on_phone()
    sending.at_sleep = lambda: rig.fleet.tap(1)
    sending.deliver()
    assert sending.count() == COUNT
    assert not first.exists()
    assert sending.on_phone() == []
    assert ["seek=0 " in command for command in sending.fed] == [True, True]
    assert len({command.split("of=")[1].split()[0] for command in sending.fed}) == 2
