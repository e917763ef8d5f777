from agent.simulator.make import make_phone
from tests.agent.simulator.client import Client, frames
from tests.agent.simulator.conftest import StartFleet

BIG = 300


def test_no_second_message_before_the_first_is_acknowledged(start: StartFleet) -> None:
    with Client(start(packages=make_phone(0, packages=BIG).packages).ports[0], max_payload=1000) as client:
        client.connect()
        remote = client.open("shell:pm list packages -f --user 0").arg0
        first = client.read()
        assert (first.command, len(first.data)) == (b"WRTE", 1000)
        assert client.silent()
        client.send(b"OKAY", 1, remote)
        second = client.read()
        assert (second.command, len(second.data)) == (b"WRTE", 1000)
        assert client.silent()
        client.send(b"OKAY", 1, remote)
        listed = first.data + second.data + client.rest(remote)
    assert listed.count(b"package:") == BIG


def test_the_last_message_is_followed_by_the_close_at_once(start: StartFleet) -> None:
    with Client(start().ports[0]) as client:
        client.connect()
        client.open("shell,v2,raw:echo hi; exit 3")
        reply = client.read()
        assert frames(reply.data) == [(1, b"hi\n"), (3, b"\x03")]
        assert client.read()[:3] == (b"CLSE", reply.arg0, 1)


def test_streams_of_one_connection_do_not_mix(start: StartFleet) -> None:
    with Client(start().ports[0], max_payload=100) as client:
        client.connect()
        one = client.open("shell:getprop", local=1).arg0
        assert client.read()[1:3] == (one, 1)
        two = client.open("shell:echo two", local=2).arg0
        assert two != one
        assert client.read()[1:] == (two, 2, b"two\n")
        assert client.read()[:3] == (b"CLSE", two, 2)
        client.send(b"OKAY", 1, one)
        assert client.read()[1:3] == (one, 1)


def test_the_client_may_close_first(start: StartFleet) -> None:
    with Client(start().ports[0], max_payload=100) as client:
        client.connect()
        remote = client.open("shell:getprop").arg0
        client.read()
        client.send(b"CLSE", 1, remote)
        assert client.read()[:3] == (b"CLSE", remote, 1)
        assert client.collect("shell:echo next", local=2) == b"next\n"


def test_writing_to_a_stream_that_is_not_there_is_answered_by_a_close(start: StartFleet) -> None:
    with Client(start().ports[0]) as client:
        client.connect()
        client.send(b"WRTE", 5, 77, b"hello")
        assert client.read()[:3] == (b"CLSE", 0, 5)
        client.send(b"OKAY", 5, 77)
        client.send(b"CLSE", 5, 77)
        assert client.silent()


def test_counters_prove_one_open(start: StartFleet) -> None:
    fleet = start()
    with Client(fleet.ports[0]) as client:
        client.connect()
        client.collect("shell:getprop")
    counters = fleet.devices[0].counters
    assert (counters.connections, counters.opens) == (1, 1)
    assert counters.bytes == counters.bytes_in + counters.bytes_out > 1000
