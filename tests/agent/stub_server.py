"""A small real HTTP server that behaves as docs/wire.md says, and misbehaves on demand."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent import wire

AGENT_ID = "0197f000-0000-7000-8000-000000000001"
HMAC_KEY = bytes(range(32))


def raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


@dataclass
class Stub:
    """`faults`, one a request: an HTTP status, a problem's code, or `hang`, `slow`, `cut`,
    `lost`, `rubbish`.

    `lost`: the request counts, its answer does not arrive. `counted` holds each batch's entries once.
    """

    command_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    tokens: dict[str, str | None] = field(default_factory=lambda: {"token": None})
    agents: dict[str, bytes] = field(default_factory=dict)
    faults: list[int | str] = field(default_factory=list)
    commands: list[wire.CommandEnvelope] = field(default_factory=list)
    dangerous: list[tuple[wire.Command, Ed25519PrivateKey]] = field(default_factory=list)
    answer_more: dict[str, Any] = field(default_factory=dict)
    want: list[wire.Wanted] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    offset_s: float = 0.0
    interval_s: int = 60
    max_entries: int = 10_000
    unreadable: str = ""
    label_url: str | None = None
    adopt_conflict: bool = False
    counted: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: list[dict[str, Any]] = field(default_factory=list)
    adopted: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)
    arrived: threading.Condition = field(default_factory=threading.Condition)
    url: str = ""

    def code(self, token: str = "token") -> str:
        return f"{self.url}#{token}#{wire.key_fingerprint(raw(self.command_key))}"

    def entries(self, part: str) -> list[dict[str, Any]]:
        return [entry for body in self.counted.values() for entry in body[part]]

    def wait_until(self, what: str, enough: Any, timeout_s: float = 20.0) -> None:
        """Look again whenever a request was answered, and often between: what it did may show only later."""
        deadline = time.monotonic() + timeout_s
        with self.arrived:
            while not enough():
                assert time.monotonic() < deadline, f"never: {what}"
                self.arrived.wait(0.02)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stub: Stub

    def log_message(self, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.stub.arrived:
            self.stub.headers.append(dict(self.headers))
            fault = self.stub.faults.pop(0) if self.stub.faults else None
        if fault == "slow":
            time.sleep(1)
        if fault in {"lost", "cut", "slow", None}:
            self._serve(body, str(fault))
        elif fault == "hang":
            time.sleep(3)
            self.close_connection = True
        elif fault == "rubbish":
            self._send(200, b"<html>welcome to the hotel</html>")
        elif fault == "redirect":
            self._send(307, b"", {"Location": self.stub.url + "/elsewhere"})
        elif isinstance(fault, int):
            self._send(fault, b"oops", {"Retry-After": "7"} if fault == 503 else None)
        else:
            self._problem({"too_large": 413, "replayed": 401}.get(fault, 400), fault)
        with self.stub.arrived:
            self.stub.arrived.notify_all()

    def _serve(self, body: bytes, fault: str) -> None:
        try:
            status, answer = self._answer(body)
        except wire.WireError as exc:
            self.stub.problems.append(str(exc))
            status = {"too_large": 413, "bad_body": 400, "agent_revoked": 403, "conflict": 409}.get(
                exc.code, 401
            )
            self._problem(status, exc.code, exc.detail)
            return
        if fault == "lost":
            self.close_connection = True
            self.connection.close()
            return
        self._send(status, json.dumps(answer).encode(), cut=fault == "cut")

    def _answer(self, body: bytes) -> tuple[int, dict[str, Any]]:
        packed = self.headers.get("Content-Encoding") == "gzip"
        plain = json.loads(wire.gunzip(body) if packed else body)
        self._authenticate(body, plain)
        with self.stub.arrived:
            self.stub.seen.append(plain)
            if self.path == wire.ENROL_PATH:
                return 201, self._enrol(plain)
            if self.path == wire.ADOPT_PATH:
                return 201, self._adopt(plain)
            return 200, self._check_in(plain)

    def _authenticate(self, body: bytes, plain: dict[str, Any]) -> None:
        message = wire.HttpMessage("POST", self.stub.url + self.path, dict(self.headers))
        claimed = wire.claimed_key_id(message.headers)
        public = self.stub.agents.get(claimed) if claimed != "enrol" else wire.unb64(plain["ed25519"])
        if public is None:
            raise wire.WireError("unknown_agent", "no such agent")
        if public == b"revoked":
            raise wire.WireError("agent_revoked", "revoked")
        verified = wire.verify_request(message, body, key=Ed25519PublicKey.from_public_bytes(public))
        if abs(verified.created - time.time() - self.stub.offset_s) > wire.SIGNATURE_WINDOW_S:
            raise wire.WireError("clock_skew", "")
        if verified.nonce in self.stub.nonces:
            raise wire.WireError("replayed", "")
        self.stub.nonces.add(verified.nonce)
        self.nonce = verified.nonce

    def _enrol(self, plain: dict[str, Any]) -> dict[str, Any]:
        token = plain["token"]
        if token not in self.stub.tokens or self.stub.tokens[token] not in {None, plain["ed25519"]}:
            raise wire.WireError("bad_token", "this code is used up or unknown")
        self.stub.tokens[token] = plain["ed25519"]
        self.stub.agents[AGENT_ID] = wire.unb64(plain["ed25519"])
        key = wire.b64(raw(self.stub.command_key))
        return {"agent_id": AGENT_ID, "command_key": key, "interval_s": self.stub.interval_s}

    def _adopt(self, plain: dict[str, Any]) -> dict[str, Any]:
        if self.stub.adopt_conflict:
            raise wire.WireError("conflict", "asset_tag")
        self.stub.adopted.append(plain)
        label_url = self.stub.label_url
        return {
            "handset_id": "h1",
            "asset_tag": plain["asset_tag"],
            "status": "created",
            "label_url": label_url,
        }

    def _check_in(self, plain: dict[str, Any]) -> dict[str, Any]:
        if sum(len(plain[part]) for part in ("readings", "unreached", "results")) > self.stub.max_entries:
            raise wire.WireError("too_large", "")
        if self.stub.unreadable and self.stub.unreadable in json.dumps(plain):
            raise wire.WireError("bad_body", "readings")
        self.stub.counted.setdefault(plain["batch"], plain)
        commands, self.stub.commands = self.stub.commands, []
        dangerous, self.stub.dangerous = self.stub.dangerous, []
        commands += [wire.seal_command(replace(order, nonce=self.nonce), key) for order, key in dangerous]
        want, self.stub.want = self.stub.want, []
        return {
            "batch": plain["batch"],
            "interval_s": self.stub.interval_s,
            "accepted": len(plain["readings"]),
            "rejected": [],
            "want": want,
            "commands": commands,
            "hmac_key": wire.b64(HMAC_KEY),
            **self.stub.answer_more,
            **self.stub.answer,
        }

    def _problem(self, status: int, code: str, detail: str = "") -> None:
        document: dict[str, Any] = {"status": status, "code": code, "detail": detail}
        if code == "clock_skew":
            now = dt.datetime.fromtimestamp(time.time() + self.stub.offset_s, tz=dt.UTC)
            document["server_time"] = now.isoformat().replace("+00:00", "Z")
        self._send(status, json.dumps(document).encode())

    def _send(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, *, cut: bool = False
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()


@contextmanager
def running(stub: Stub | None = None) -> Iterator[Stub]:
    stub = stub or Stub()
    handler = type("Handler", (_Handler,), {"stub": stub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
