import random
import struct

import pytest
from adb_shell.auth.keygen import keygen
from adb_shell.auth.sign_cryptography import CryptographySigner

from agent.simulator.make import make_phone
from agent.simulator.state import AuthMode
from tests.agent.simulator.client import BANNER, Client, Reply
from tests.agent.simulator.conftest import StartFleet

OLD = make_phone(10).identity
NEW = make_phone(0).identity


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> CryptographySigner:
    path = tmp_path_factory.mktemp("key") / "adbkey"
    keygen(str(path))
    return CryptographySigner(str(path))


def _offer(client: Client, signer: CryptographySigner) -> Reply:
    """CNXN, a signature, then the public key; the last AUTH token."""
    token = client.connect()
    assert (token.command, token.arg0, len(token.data)) == (b"AUTH", 1, 20)
    client.send(b"AUTH", 2, 0, signer.Sign(token.data))
    again = client.read()
    client.send(b"AUTH", 3, 0, signer.GetPublicKey() + b"\0")
    return again


def test_a_phone_says_who_it_is(start: StartFleet) -> None:
    with Client(start().ports[0]) as client:
        hello = client.connect()
    assert hello[:3] == (b"CNXN", 0x01000001, 1 << 20)
    assert hello.data == (
        b"device::ro.product.name=mondrian;ro.product.model=23013RK75C;ro.product.device=mondrian;"
        b"features=shell_v2,cmd"
    )


def test_an_old_phone_insists_on_checksums_and_small_payloads(start: StartFleet) -> None:
    with Client(start(identity=OLD, shell_v2=False).ports[0]) as client:
        hello = client.connect()
        client.version = 0x01000000
        assert hello[:3] == (b"CNXN", 0x01000000, 256 * 1024)
        assert b"features" not in hello.data
        assert client.collect("shell:echo hi") == b"hi\r\n"


def test_without_checksums_only_if_both_can(start: StartFleet) -> None:
    port = start().ports[0]
    with Client(port) as client:
        client.connect()
        client.send(b"OPEN", 1, 0, b"shell:echo hi\0", check=0)
        assert client.read().command == b"OKAY"
        assert client.rest(1) == b"hi\n"
    with Client(port, version=0x01000000) as client:
        client.connect()
        assert client.collect("shell:echo hi") == b"hi\n"
        client.send(b"OPEN", 1, 0, b"shell:echo hi\0", check=1)
        with pytest.raises(EOFError):
            client.read()


def test_the_smaller_payload_holds(start: StartFleet) -> None:
    with Client(start().ports[0], max_payload=4096) as client:
        client.connect()
        client.open("shell:getprop")
        assert len(client.read().data) <= 4096
        client.send(b"WRTE", 1, 1, b"x" * 4097)
        assert client.ends()


@pytest.mark.parametrize(
    "rubbish",
    [b"GET / HTTP/1.1\r\nHost: phone\r\n\r\n", random.Random(4).randbytes(4000), b"\0" * 24],
    ids=["http", "random", "zeros"],
)
def test_rubbish_ends_the_connection_and_nothing_else(start: StartFleet, rubbish: bytes) -> None:
    port = start().ports[0]
    with Client(port) as client:
        client.socket.sendall(rubbish)
        with pytest.raises((EOFError, ConnectionError)):
            client.read()
    with Client(port) as client:
        assert client.connect().command == b"CNXN"


def test_services_are_closed_before_the_key_is_accepted(start: StartFleet) -> None:
    fleet = start(auth=AuthMode.ASK)
    with Client(fleet.ports[0]) as client:
        client.connect()
        client.send(b"OPEN", 1, 0, b"shell:id\0")
        assert client.silent()
    assert fleet.devices[0].counters.opens == 0


def test_a_key_waits_until_it_is_allowed_and_is_known_from_then_on(
    start: StartFleet, signer: CryptographySigner
) -> None:
    fleet = start(auth=AuthMode.ASK)
    with Client(fleet.ports[0]) as client:
        again = _offer(client, signer)
        assert (again.command, again.arg0) == (b"AUTH", 1)
        assert client.silent()
        assert fleet.authorise(0) == 1
        assert client.read().command == b"CNXN"
        assert client.collect("shell:echo in") == b"in\n"
    with Client(fleet.ports[0]) as client:
        token = client.connect()
        client.send(b"AUTH", 2, 0, signer.Sign(token.data))
        assert client.read().command == b"CNXN"
    assert fleet.authorise(0) == 0


def test_auto_allows_at_once_and_never_does_not(start: StartFleet, signer: CryptographySigner) -> None:
    with Client(start(auth=AuthMode.AUTO).ports[0]) as client:
        _offer(client, signer)
        assert client.read().command == b"CNXN"
    with Client(start(auth=AuthMode.NEVER).ports[0]) as client:
        _offer(client, signer)
        assert client.silent()


def test_an_old_signature_does_not_fit_a_new_token(start: StartFleet, signer: CryptographySigner) -> None:
    fleet = start(auth=AuthMode.AUTO)
    with Client(fleet.ports[0]) as client:
        first = client.connect()
        _offer_key(client, signer)
        assert client.read().command == b"CNXN"
    with Client(fleet.ports[0]) as client:
        second = client.connect()
        assert second.data != first.data
        client.send(b"AUTH", 2, 0, signer.Sign(first.data))
        assert client.read().command == b"AUTH"


def _offer_key(client: Client, signer: CryptographySigner) -> None:
    client.send(b"AUTH", 3, 0, signer.GetPublicKey() + b"\0")


def test_a_broken_public_key_ends_the_connection(start: StartFleet) -> None:
    with Client(start(auth=AuthMode.AUTO).ports[0]) as client:
        client.connect()
        client.send(b"AUTH", 3, 0, b"bm90IGEga2V5 tester\0")
        with pytest.raises((EOFError, ConnectionError)):
            client.read()


def test_a_second_cnxn_starts_over(start: StartFleet) -> None:
    with Client(start().ports[0]) as client:
        client.connect()
        assert client.connect().command == b"CNXN"
        client.send(b"SYNC", 0, 0)
        with pytest.raises((EOFError, ConnectionError)):
            client.read()


def test_a_message_in_pieces_is_one_message(start: StartFleet) -> None:
    with Client(start().ports[0]) as client:
        wire = struct.pack("<4s5I", b"CNXN", 0x01000001, 4096, len(BANNER), sum(BANNER), 0xB1A7B1BC) + BANNER
        for byte in wire:
            client.socket.sendall(bytes((byte,)))
        assert client.read().command == b"CNXN"


def test_keys_allowed_before_are_state_of_the_phone(start: StartFleet, signer: CryptographySigner) -> None:
    fleet = start(auth=AuthMode.NEVER, authorised_keys=[signer.GetPublicKey().decode()])
    with Client(fleet.ports[0]) as client:
        token = client.connect()
        client.send(b"AUTH", 2, 0, signer.Sign(token.data))
        assert client.read().command == b"CNXN"
