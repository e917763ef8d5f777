"""A whole transfer, files and contacts, straight by TCP and through real adb servers, with the cable pulled meanwhile.

A few files and contacts in no time; the proof `transfer` asks for thousands, and for a file of more than 4 GiB.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agent.adbserver import AdbServer
from agent.simulator.people import people_of
from agent.transfer import writing
from agent.transfer.people import make_parts
from agent.transport import Transport, TransportOptions, open_transport
from tests.agent.transfer.rig import Rig, fill, put, tree
from tests.support import adb
from tests.support.cutting import random_cuts

FILES = int(os.environ.get("BUTLER_PROVE_TRANSFER_FILES", "25"))
CONTACTS = int(os.environ.get("BUTLER_PROVE_TRANSFER_CONTACTS", "0"))
HUGE = int(os.environ.get("BUTLER_PROVE_TRANSFER_HUGE", "0"))
SEED = int(os.environ.get("BUTLER_PROVE_TRANSFER_SEED", "1"))


class Slept:
    """A clock that goes on only while something sleeps: a simulated phone has imported at once."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class AdbRig(Rig):
    """The same phones behind a real adb server, which is told to connect again whenever it lost one."""

    server: adb.AdbServer

    def phone(self, number: int) -> Any:
        serial = f"127.0.0.1:{self.proxies[number].port}"
        options = TransportOptions(connect_s=5, adb_server=self.server.address)

        @contextmanager
        def opened() -> Iterator[Transport]:
            states = {device.serial: device.state for device in AdbServer(self.server.address).listed()}
            if states.get(serial) != "device":
                self.server.adb("disconnect", serial)
                self.server.adb("connect", serial)
            with open_transport(f"server:{serial}", options) as transport:
                yield transport

        return opened


@pytest.fixture(params=["tcp", "system", "bundled"])
def rig(
    request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rig]:
    if request.param == "tcp":
        with Rig(tmp_path).up() as made:
            yield made
        return
    binary = adb.binaries().get(request.param)
    if binary is None:
        pytest.skip(f"this machine has no {request.param} adb")
    served = AdbRig(tmp_path)
    with adb.running_server(binary, tmp_path_factory.mktemp("adb")) as served.server, served.up():
        yield served


def test_files_and_contacts_arrive_although_the_cable_is_pulled(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(SEED)
    if not HUGE:
        monkeypatch.setattr(writing, "WHOLE", 2**20)
    fill(rig.old / "DCIM", FILES, SEED)
    put(rig.old / "DCIM/long.mp4", rng.randbytes(17 * 2**20 + 3 if HUGE else 3 * 2**20))
    rig.phones[0].contacts, rig.phones[1].contacts, rig.phones[1].import_tap = CONTACTS, 3, "auto"
    rig.cuts = {n: random_cuts(rng, 1_000_000, 4_000_000, 0) for n in (0, 1)}
    clock = Slept()
    parts = make_parts(["contacts"] if CONTACTS else [], {"insert_rows": 5_000}, clock, clock.sleep)
    result = rig.run(parts, patience_s=60)
    for contacts in result.parts:
        assert (contacts.outcome, contacts.found, contacts.verified) == ("verified", CONTACTS, CONTACTS)
    assert result.outcome == "verified"
    assert tree(rig.new / "DCIM") == tree(rig.old / "DCIM")
    count = people_of(rig.phones[1]).db.execute("select count(*) from raw_contacts where deleted = 0")
    assert count.fetchone()[0] == CONTACTS + 3
    assert sum(proxy.cuts for proxy in rig.proxies) >= 1


def huge_file(rig: Rig) -> None:
    """Its size as 32 bits is small, and true of nothing."""
    path = rig.old / "DCIM/huge.mp4"
    path.parent.mkdir(parents=True)
    with path.open("wb") as stream:
        stream.write(b"head")
        stream.truncate(HUGE)
        stream.seek(2**32)
        stream.write(b"behind 4 GiB")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    result = rig.run(patience_s=60)
    (entry,) = result.manifest.entries
    assert (entry["state"], entry["size"]) == ("verified", HUGE)
    assert (rig.new / "DCIM/huge.mp4").stat().st_size == HUGE
    with (rig.new / "DCIM/huge.mp4").open("rb") as stream:
        stream.seek(2**32)
        assert stream.read(12) == b"behind 4 GiB"


if HUGE:
    # Ten minutes and 13 GB a way: the proof alone asks for it.
    test_a_file_of_more_than_4_gib = huge_file
