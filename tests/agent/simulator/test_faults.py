import socket

import pytest

from agent.simulator.faults import Fault, FaultKind, FaultPoint
from agent.simulator.fleet import Fleet
from agent.simulator.state import AuthMode
from tests.agent.simulator.client import BANNER, Client, frames
from tests.agent.simulator.conftest import StartFleet


def _faulty(start: StartFleet, fault: Fault, **fields: object) -> Fleet:
    fleet = start(**fields)
    fleet.set_fault(0, fault)
    return fleet


def test_faults_that_make_no_sense_are_refused() -> None:
    for bad in (
        {"kind": FaultKind.HANG},
        {"kind": FaultKind.DROP, "at": FaultPoint.OPEN},
        {"kind": FaultKind.DROP, "after_bytes": -1},
        {"kind": FaultKind.GARBAGE, "at": FaultPoint.CNXN},
    ):
        with pytest.raises(ValueError, match=r"at|bytes"):
            Fault(**bad)  # type: ignore[arg-type]


def test_a_fault_comes_and_goes_while_the_phone_runs(start: StartFleet) -> None:
    fleet = _faulty(start, Fault(FaultKind.EMPTY))
    with Client(fleet.ports[0]) as client:
        client.connect()
        assert client.collect("shell:echo hi") == b""
        fleet.set_fault(0, None)
        assert client.collect("shell:echo hi", local=2) == b"hi\n"


@pytest.mark.parametrize("point", [FaultPoint.ACCEPT, FaultPoint.CNXN])
def test_hang_before_the_handshake_ends(start: StartFleet, point: FaultPoint) -> None:
    fleet = _faulty(start, Fault(FaultKind.HANG, at=point))
    with Client(fleet.ports[0]) as client:
        client.send(b"CNXN", client.version, client.max_payload, BANNER)
        assert client.silent()
    assert fleet.devices[0].counters.connections == 1


def test_a_phone_that_hangs_later_leaves_open_connections_in_silence(start: StartFleet) -> None:
    fleet = start()
    with Client(fleet.ports[0]) as client:
        client.connect()
        fleet.set_fault(0, Fault(FaultKind.HANG, at=FaultPoint.ACCEPT))
        client.send(b"OPEN", 1, 0, b"shell:id\0")
        assert client.silent()


def test_hang_at_the_handshake_still_asks_for_a_key(start: StartFleet) -> None:
    fleet = _faulty(start, Fault(FaultKind.HANG, at=FaultPoint.CNXN), auth=AuthMode.AUTO)
    with Client(fleet.ports[0]) as client:
        assert client.connect().command == b"AUTH"


def test_hang_at_open(start: StartFleet) -> None:
    fleet = _faulty(start, Fault(FaultKind.HANG, at=FaultPoint.OPEN))
    with Client(fleet.ports[0]) as client:
        client.connect()
        client.send(b"OPEN", 1, 0, b"shell:id\0")
        assert client.silent()
    assert fleet.devices[0].counters.opens == 1


def test_hang_in_the_middle_of_output(start: StartFleet) -> None:
    fleet = _faulty(start, Fault(FaultKind.HANG, at=FaultPoint.OUTPUT, after_bytes=150))
    with Client(fleet.ports[0], max_payload=100) as client:
        client.connect()
        remote = client.open("shell:getprop").arg0
        assert len(client.read().data) == 100
        client.send(b"OKAY", 1, remote)
        assert len(client.read().data) == 50
        client.send(b"OKAY", 1, remote)
        assert client.silent()


def test_hang_in_the_last_message_is_not_followed_by_a_close(start: StartFleet) -> None:
    fleet = _faulty(start, Fault(FaultKind.HANG, at=FaultPoint.OUTPUT, after_bytes=2))
    with Client(fleet.ports[0]) as client:
        client.connect()
        remote = client.open("shell:echo hello").arg0
        assert client.read().data == b"he"
        client.send(b"OKAY", 1, remote)
        assert client.silent()


@pytest.mark.parametrize("count", [0, 1, 150])
def test_drop_after_so_many_bytes(start: StartFleet, count: int) -> None:
    fleet = _faulty(start, Fault(FaultKind.DROP, after_bytes=count))
    with Client(fleet.ports[0], max_payload=100) as client:
        client.connect()
        remote = client.open("shell:getprop").arg0
        got: list[bytes] = []

        def take_all() -> None:
            while (reply := client.read()).command == b"WRTE":
                got.append(reply.data)
                client.send(b"OKAY", 1, remote)

        with pytest.raises((EOFError, ConnectionError)):
            take_all()
        assert len(b"".join(got)) == count
    with Client(fleet.ports[0]) as client:
        assert client.connect().command == b"CNXN"


def test_refuse_and_back(start: StartFleet) -> None:
    fleet = _faulty(start, Fault(FaultKind.REFUSE))
    port = fleet.ports[0]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 2)
    fleet.set_fault(0, None)
    assert fleet.ports[0] == port
    with Client(port) as client:
        assert client.connect().command == b"CNXN"


def test_unauthorised_even_where_no_key_is_asked_otherwise(start: StartFleet) -> None:
    fleet = _faulty(start, Fault(FaultKind.UNAUTHORISED))
    with Client(fleet.ports[0]) as client:
        assert client.connect().command == b"AUTH"
        client.send(b"AUTH", 2, 0, b"\0" * 256)
        assert client.read().command == b"AUTH"


def test_garbage_output_and_garbage_on_the_wire(start: StartFleet) -> None:
    fleet = _faulty(start, Fault(FaultKind.GARBAGE, at=FaultPoint.OUTPUT, size=5000))
    with Client(fleet.ports[0]) as client:
        client.connect()
        ((kind, body), _) = frames(client.collect("shell,v2,raw:getprop"))
        assert (kind, len(body)) == (1, 5000)
        assert body not in client.collect("shell:getprop", local=2)
    fleet.set_fault(0, Fault(FaultKind.GARBAGE, at=FaultPoint.WIRE))
    with Client(fleet.ports[0]) as client:
        client.send(b"CNXN", client.version, client.max_payload, BANNER)
        with pytest.raises((AssertionError, EOFError)):
            client.read()


def test_a_flood_of_megabytes(start: StartFleet) -> None:
    fleet = _faulty(start, Fault(FaultKind.FLOOD, size=5_000_001))
    with Client(fleet.ports[0]) as client:
        client.connect()
        assert len(client.collect("exec:getprop")) == 5_000_001


def test_empty_output_is_a_success(start: StartFleet) -> None:
    fleet = _faulty(start, Fault(FaultKind.EMPTY))
    with Client(fleet.ports[0]) as client:
        client.connect()
        assert frames(client.collect("shell,v2,raw:nosuch")) == [(3, b"\0")]


def test_a_user_that_may_not_be_read(start: StartFleet) -> None:
    fleet = start(unreadable_users={10})
    with Client(fleet.ports[0]) as client:
        client.connect()
        (stderr, code) = frames(client.collect("shell,v2,raw:pm list packages --user 10"))
    assert b"java.lang.SecurityException: Shell does not have permission to access user 10\n" in stderr[1]
    assert code == (3, b"\xff")


def test_faults_of_one_phone_leave_the_others_alone(start: StartFleet) -> None:
    fleet = start(count=2)
    fleet.set_fault(0, Fault(FaultKind.HANG, at=FaultPoint.ACCEPT))
    with Client(fleet.ports[1]) as client:
        assert client.connect().command == b"CNXN"
