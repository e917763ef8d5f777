from __future__ import annotations

import contextlib
import gzip
import http.server
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from agent import client as module
from agent import wire
from agent.client import BadServerUrl, Client, ServerAway, ServerRefused, check_url
from agent.state import State
from tests.agent.stub_server import AGENT_ID, Stub, raw

BODY = b'{"batch":"b","readings":[],"unreached":[],"results":[]}'


@pytest.fixture
def client(stub: Stub, state: State) -> Iterator[Client]:
    key = state.keys().ed25519
    stub.agents[AGENT_ID] = raw(key)
    client = Client(stub.url, key, AGENT_ID)
    yield client
    client.close()


def post(client: Client) -> dict[str, object]:
    return client.post(wire.CHECKIN_PATH, BODY)


def test_a_post_is_signed_and_answered(client: Client) -> None:
    assert post(client)["batch"] == "b"


def test_a_wrong_clock_is_learnt_once(client: Client, stub: Stub) -> None:
    stub.offset_s = -86_400
    post(client)
    post(client)
    assert [problem.partition(":")[0] for problem in stub.problems] == ["clock_skew"]


def test_a_clock_that_the_server_does_not_tell_stops_the_try(client: Client, stub: Stub) -> None:
    stub.faults = ["clock_skew_without_time"]
    with pytest.raises(ServerRefused):
        post(client)


def test_a_replayed_nonce_is_signed_anew(client: Client, stub: Stub) -> None:
    stub.faults = ["replayed", "replayed"]
    post(client)
    assert len({h["Signature"] for h in stub.headers}) == 3
    assert len({h["Content-Digest"] for h in stub.headers}) == 1


def test_endless_replays_end_as_server_away(client: Client, stub: Stub) -> None:
    stub.faults = ["replayed"] * 10
    with pytest.raises(ServerAway, match="every signature"):
        post(client)
    assert len(stub.headers) == 3


@pytest.mark.parametrize("fault", [500, 502, 503, 429, 404, 401, "cut", "lost", "rubbish", "redirect"])
def test_what_may_pass_by_itself_is_server_away(client: Client, stub: Stub, fault: int | str) -> None:
    stub.faults = [fault]
    with pytest.raises(ServerAway):
        post(client)
    assert post(client)["batch"] == "b"
    assert len(stub.headers) == 2, "a redirect is never followed with a signature"


@pytest.mark.parametrize(("fault", "wait"), [(503, 7.0), (404, 0.0)])
def test_retry_after_is_heeded(client: Client, stub: Stub, fault: int, wait: float) -> None:
    stub.faults = [fault]
    with pytest.raises(ServerAway) as caught:
        post(client)
    assert caught.value.retry_after_s == wait


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("7", 7.0),
        ("99999", 3600.0),
        ("1e9", 0.0),
        ("-1", 0.0),
        ("９", 0.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0),
        (None, 0.0),
    ],
)
def test_a_server_cannot_silence_the_agent_for_long(said: str | None, wait: float) -> None:
    assert module._seconds(said) == wait


@pytest.mark.parametrize(
    "told",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1969-12-31T23:59:59Z",
        "2026-11-22T04:00:00",
        "now",
        None,
        7,
    ],
)
def test_a_time_that_no_server_has_is_not_signed_with(
    client: Client, stub: Stub, told: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.faults = ["clock_skew"]
    real = module._read_object
    monkeypatch.setattr(
        module, "_read_object", lambda response: {**(real(response) or {}), "server_time": told}
    )
    with pytest.raises(ServerRefused, match="clock_skew"):
        post(client)
    assert len(stub.headers) == 1


def test_an_endless_detail_fills_no_log(client: Client, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    stub.faults = ["bad_body"]
    monkeypatch.setattr(module, "_read_object", lambda response: {"code": "x" * 10**6, "detail": "y" * 10**6})
    with pytest.raises(ServerRefused) as caught:
        post(client)
    assert len(str(caught.value)) < 1100


def test_a_packed_answer_without_end_is_cut_off_before_it_fills_the_memory(state: State) -> None:
    bomb = gzip.compress(bytes(2**28), 9)

    class Bomb(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(bomb)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bomb) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        client = Client(f"http://127.0.0.1:{server.server_address[1]}", state.keys().ed25519, AGENT_ID)
        tracemalloc.start()
        try:
            with pytest.raises(ServerAway, match="too long"):
                client.post(wire.CHECKIN_PATH, BODY)
            assert tracemalloc.get_traced_memory()[1] < 4 * module.MAX_ANSWER_BYTES
        finally:
            tracemalloc.stop()
            client.close()
            server.shutdown()


def test_a_silent_server_meets_the_deadline(
    client: Client, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SILENCE_S", 0.2)
    stub.faults = ["hang"]
    with pytest.raises(ServerAway, match="in time"):
        post(client)


def test_an_answer_without_end_is_cut_off(
    client: Client, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_ANSWER_BYTES", 1000)
    stub.answer = {"padding": "x" * 2000}
    with pytest.raises(ServerAway, match="too long"):
        post(client)


def test_a_dripping_answer_is_cut_off(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    class Drip(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            for _ in range(200):
                try:
                    self.wfile.write(b" ")
                except OSError:
                    return
                time.sleep(0.02)

    monkeypatch.setattr(module, "TOTAL_S", 0.2)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Drip) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        client = Client(f"http://127.0.0.1:{server.server_address[1]}", state.keys().ed25519, AGENT_ID)
        with pytest.raises(ServerAway, match="too slow"):
            client.post(wire.CHECKIN_PATH, BODY)
        client.close()
        server.shutdown()


def test_nobody_there_is_server_away(state: State) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client = Client(f"http://127.0.0.1:{port}", state.keys().ed25519, AGENT_ID)
    with pytest.raises(ServerAway, match="cannot be reached"):
        post(client)
    client.close()


def test_a_certificate_that_nobody_vouches_for_is_refused(
    state: State, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import ssl

    pem = tmp_path_factory.mktemp("tls") / "server.pem"
    pem.write_bytes(_self_signed())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        client = Client(f"https://127.0.0.1:{server.server_address[1]}", state.keys().ed25519, AGENT_ID)
        with pytest.raises(ServerAway, match="certificate"):
            post(client)
        client.close()
        server.shutdown()


def _self_signed() -> bytes:
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36500))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + certificate.public_bytes(pem)


def test_a_proxy_of_the_machine_does_not_see_loopback(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert post(client)["batch"] == "b"


# --- addresses ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("https://mdm.example.com", "https://mdm.example.com"),
        ("https://mdm.example.com:8443/", "https://mdm.example.com:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://localhost:8000", "http://localhost:8000"),
    ],
)
def test_good_addresses(url: str, result: str) -> None:
    assert check_url(url) == result


@pytest.mark.parametrize(
    "url",
    [
        "http://mdm.example.com",
        "http://10.0.0.7",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0:8000",
        "https://",
        "https://host:99999",
        "https://user@host",
        "https://host/path",
        "https://host?x",
        "https://host#x",
        "ftp://host",
        "",
        "host",
        "https://[::1",
    ],
)
def test_bad_addresses(url: str) -> None:
    with pytest.raises(BadServerUrl):
        check_url(url)
