"""Nothing is taken from who cannot prove who he is; each attack ends with the code that docs/wire.md names."""

from __future__ import annotations

import datetime as dt
import gzip
import uuid
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from flask import Flask

from agent import wire
from app.fleet.jobs import JOBS
from app.fleet.model import AgentNonce, AgentRequest
from app.kernel.clock import FixedClock
from app.kernel.db import begin_write, db
from app.readings.model import PhoneState
from tests.support.agents import BASE, FakeAgent, envelope, reading
from tests.support.fleet import Enroller

Rows = Callable[..., list[Any]]


def _refused(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.get_json()["code"]) == (status, code), answer.text
    assert answer.content_type == "application/problem+json"


def test_a_body_that_was_not_signed(gateway: FakeAgent, rows: Rows) -> None:
    sent = envelope(readings=[reading()])
    answer = gateway.post(wire.CHECKIN_PATH, sent, signed_body=orjson.dumps(envelope()))
    _refused(answer, 401, "bad_signature")
    assert rows(PhoneState) == []


def test_a_signature_for_another_path(gateway: FakeAgent) -> None:
    answer = gateway.post(wire.CHECKIN_PATH, envelope(), signed_path=wire.ADOPT_PATH)
    _refused(answer, 401, "bad_signature")


def test_another_agents_key(gateway: FakeAgent, enroller: Enroller) -> None:
    other = enroller.gateway()
    _refused(other.post(wire.CHECKIN_PATH, envelope(), key_id=gateway.agent_id), 401, "bad_signature")


def test_the_signature_is_over_the_packed_bytes(gateway: FakeAgent) -> None:
    body = orjson.dumps(envelope())
    _refused(
        gateway.post(
            wire.CHECKIN_PATH, gzip.compress(body), signed_body=body, headers={"Content-Encoding": "gzip"}
        ),
        401,
        "bad_signature",
    )
    assert gateway.checkin(pack=True).status_code == 200


def test_a_nonce_is_good_once(gateway: FakeAgent, enroller: Enroller) -> None:
    assert gateway.post(wire.CHECKIN_PATH, envelope(), nonce="n1").status_code == 200
    _refused(gateway.post(wire.CHECKIN_PATH, envelope(), nonce="n1"), 401, "replayed")
    assert enroller.gateway().post(wire.CHECKIN_PATH, envelope(), nonce="n1").status_code == 200


def test_a_request_that_was_caught_and_sent_again(app: Flask, gateway: FakeAgent, rows: Rows) -> None:
    raw = orjson.dumps(envelope())
    message = wire.HttpMessage("POST", BASE + wire.CHECKIN_PATH, {})
    wire.sign_request(
        message,
        raw,
        key=gateway.key,
        key_id=gateway.agent_id,
        nonce="n",
        created=int(gateway.now().timestamp()),
    )
    sent = [
        app.test_client().post(wire.CHECKIN_PATH, data=raw, headers=message.headers, base_url=BASE)
        for _ in "12"
    ]
    assert sent[0].status_code == 200
    _refused(sent[1], 401, "replayed")
    assert len(rows(AgentRequest)) == 1


@pytest.mark.parametrize("minutes", [10, -10])
def test_a_clock_ten_minutes_off(gateway: FakeAgent, clock: FixedClock, minutes: int) -> None:
    gateway.now = lambda: clock.now() + dt.timedelta(minutes=minutes)
    answer = gateway.checkin()
    _refused(answer, 401, "clock_skew")
    assert dt.datetime.fromisoformat(answer.get_json()["server_time"]) == clock.now()


@pytest.mark.parametrize("seconds", [300, -300])
def test_a_clock_five_minutes_off_is_still_in_time(
    gateway: FakeAgent, clock: FixedClock, seconds: int
) -> None:
    gateway.now = lambda: clock.now() + dt.timedelta(seconds=seconds)
    assert gateway.checkin().status_code == 200


def test_nobody(gateway: FakeAgent, app: Flask) -> None:
    _refused(gateway.post(wire.CHECKIN_PATH, envelope(), key_id=str(uuid.uuid4())), 401, "unknown_agent")
    _refused(gateway.post(wire.CHECKIN_PATH, envelope(), key_id="no uuid"), 401, "unknown_agent")
    _refused(app.test_client().post(wire.CHECKIN_PATH, json={}, base_url=BASE), 401, "bad_signature")


@pytest.mark.parametrize(
    "headers",
    [
        {"Signature-Input": "sig1=()"},
        {"Signature-Input": 'sig1=("@method");nonce="x"'},
        {"Signature-Input": "\x80\xff"},
        {"Signature": "sig1=::"},
        {"Content-Digest": "sha-256=:AAAA:"},
        {"Content-Digest": ""},
    ],
)
def test_headers_that_are_rubbish(gateway: FakeAgent, headers: dict[str, str]) -> None:
    _refused(gateway.post(wire.CHECKIN_PATH, envelope(), headers=headers), 401, "bad_signature")


def test_the_access_token_is_no_agent(client: Any) -> None:
    _refused(client.post(wire.CHECKIN_PATH, json=envelope()), 401, "bad_signature")


def test_a_gzip_bomb(gateway: FakeAgent) -> None:
    bomb = gzip.compress(b" " * (wire.MAX_UNPACKED_BYTES + 1))
    assert len(bomb) < 100_000
    answer = gateway.post(wire.CHECKIN_PATH, bomb, headers={"Content-Encoding": "gzip"})
    _refused(answer, 413, "too_large")


@pytest.mark.parametrize("harm", [lambda b: b[:-5], lambda b: b + b"x", lambda b: b"{}", lambda b: b""])
def test_a_gzip_body_that_is_none(gateway: FakeAgent, harm: Callable[[bytes], bytes]) -> None:
    body = harm(gzip.compress(orjson.dumps(envelope())))
    _refused(gateway.post(wire.CHECKIN_PATH, body, headers={"Content-Encoding": "gzip"}), 400, "bad_gzip")


def test_another_packing_is_not_guessed_at(gateway: FakeAgent) -> None:
    _refused(gateway.post(wire.CHECKIN_PATH, envelope(), headers={"Content-Encoding": "br"}), 400, "bad_body")


def test_a_body_that_is_too_long_is_not_read(app: Flask, gateway: FakeAgent) -> None:
    class Untouchable:
        def read(self, *_: Any) -> bytes:
            raise AssertionError("the body was read")

    answer = app.test_client().open(
        wire.CHECKIN_PATH,
        method="POST",
        base_url=BASE,
        environ_overrides={"wsgi.input": Untouchable(), "CONTENT_LENGTH": str(wire.MAX_PACKED_BYTES + 1)},
    )
    _refused(answer, 413, "too_large")


def test_a_body_without_a_length_is_read_only_so_far(app: Flask, gateway: FakeAgent) -> None:
    read = 0

    class Endless:
        def read(self, size: int = -1) -> bytes:
            nonlocal read
            size = 65_536 if size < 0 else min(size, 65_536)
            read += size
            assert read <= wire.MAX_PACKED_BYTES + 2 * 65_536, "went on reading"
            return b" " * size

    answer = app.test_client().open(
        wire.CHECKIN_PATH,
        method="POST",
        base_url=BASE,
        environ_overrides={
            "wsgi.input": Endless(),
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
        },
    )
    assert answer.status_code == 413


def test_old_nonces_and_answers_are_forgotten_in_time(
    app: Flask, gateway: FakeAgent, clock: FixedClock, rows: Rows
) -> None:
    gateway.checkin()

    def run() -> None:
        with app.app_context():
            session = begin_write(db.session())
            for job in JOBS:
                job.run(session, clock.now())
            session.commit()
            db.session.remove()

    clock.move(600)
    run()
    assert len(rows(AgentNonce)) == 1  # a request dated 300 s ahead could still come again
    clock.move(1)
    run()
    assert rows(AgentNonce) == []
    assert len(rows(AgentRequest)) == 1
    clock.move(15 * 86_400)
    run()
    assert rows(AgentRequest) == []
