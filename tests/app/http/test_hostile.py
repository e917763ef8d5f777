"""Requests made to break things: texts that no database holds, forged cursors and versions, keys used twice."""

from __future__ import annotations

import io
import json
import uuid
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from sqlalchemy import text

from app.http.bodies import MAX_DEPTH
from app.http.transaction import FORM_KEY
from app.kernel.db import db

JSON = {"Content-Type": "application/json"}
CODES = "/api/v1/enrolment-codes"


def _forged(*values: object) -> str:
    return urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "name",
    [r'"a\u0000b"', r'"\ud800"', "NaN", '{"a": "b"}', "[" * 5000, '"' + "x" * 1_000_000 + '"'],
    ids=["nul", "half-character", "nan", "object", "depth", "megabyte"],
)
def test_no_text_breaks_the_database_or_the_answer(client: Any, org: Any, name: str) -> None:
    body = f'{{"centre_id": "{org.centre}", "name": {name}}}'
    answer = client.post(CODES, data=body, headers=JSON)
    assert answer.status_code in (400, 422), answer.data
    assert answer.json["code"]


def test_what_nobody_reads_is_checked_as_well(client: Any, org: Any) -> None:
    path = f"/api/v1/policies/uptime/layers/centre/{org.centre}"
    deep: Any = 1
    for _ in range(MAX_DEPTH + 1):
        deep = {"a": deep}
    for body in ({"a\0": 1}, {"a": ["\0"]}, deep):
        answer = client.put(path, json={"body": body, "reason": "x"}, headers={"If-Match": '"v0"'})
        assert answer.status_code == 422, answer.data
        assert answer.json["errors"][0]["field"].startswith("body"), answer.json


def test_a_form_with_a_nul_is_refused(client: Any, org: Any) -> None:
    answer = client.post("/gateways/codes", data={"centre_id": str(org.centre), "name": "a\0b"})
    assert answer.status_code == 422
    keyless = {"Idempotency-Key": ""}
    answer = client.post(
        "/gateways/codes", data={"centre_id": str(org.centre), FORM_KEY: "a\0b"}, headers=keyless
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("digits", ["9" * 5000, "9" * 30, "-1", "٣", "²", ""])
def test_a_version_that_cannot_be_is_a_stale_one(client: Any, org: Any, digits: str) -> None:
    tag = f'"v{digits}"'.encode().decode("latin-1")
    answer = client.patch(f"/api/v1/posts/{org.post}", json={"name": "x"}, headers={"If-Match": tag})
    assert (answer.status_code, answer.json["code"]) == (412, "stale_version")


@pytest.mark.parametrize(
    ("path", "order", "first"),
    [
        ("/api/v1/commands", "-created_at,-id", "2026-01-01"),
        ("/api/v1/commands", "-created_at,-id", "0001-01-01T00:00:00"),
        ("/api/v1/handsets", "asset_tag,id", "\0"),
        ("/api/v1/handsets", "asset_tag,id", "\ud800"),
    ],
)
def test_a_forged_cursor_is_refused(client: Any, org: Any, path: str, order: str, first: str) -> None:
    answer = client.get(path, query_string={"cursor": _forged(order, first, str(uuid.uuid4()))})
    assert (answer.status_code, answer.json["code"]) == (422, "bad_cursor")


def test_a_cursor_without_bottom_is_refused(client: Any) -> None:
    cursor = urlsafe_b64encode(b"[" * 50_000).decode()
    assert client.get("/api/v1/handsets", query_string={"cursor": cursor}).json["code"] == "bad_cursor"


def _upload(client: Any, key: str, content: bytes, name: str = "a.csv") -> Any:
    form = {"resource": "posts", "file": (io.BytesIO(content), name)}
    return client.post("/api/v1/imports", data=form, headers={"Idempotency-Key": key})


def test_one_key_serves_one_file_only(client: Any, org: Any) -> None:
    """A browser that goes back and sends the same form with the mended file must not see the old file's answer."""
    head = "服务中心编码*,网格编码*,编码*,名称*\n".encode()
    first = _upload(client, "k1", head + "C1,G1,P7,七号".encode())
    assert first.status_code == 201, first.json
    again = _upload(client, "k1", head + "C1,G1,P7,七号".encode())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json == first.json
    for changed in (
        _upload(client, "k1", head + "C1,G1,P8,八号".encode()),
        _upload(client, "k1", head + "C1,G1,P7,七号".encode(), "b.csv"),
    ):
        assert (changed.status_code, changed.json["code"]) == (422, "idempotency_key_reused")


def test_a_slow_sender_does_not_hold_the_write_lock(app: Any, client: Any, org: Any) -> None:
    """While a body trickles in, others write: on SQLite there is one write lock for all."""
    others: list[int] = []
    with app.app_context():
        engine = db.engine

    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if not self.tell():
                with engine.connect().execution_options(butler_write=True) as connection:
                    connection.execute(text("UPDATE post SET name = 'other'"))
                    connection.rollback()
                others.append(1)
            return super().read(size)

        def readinto(self, buffer: Any) -> int:
            found = self.read(len(buffer))
            buffer[: len(found)] = found
            return len(found)

    body = b'{"code": "SC9"}'
    for method, path in (("PATCH", f"/api/v1/posts/{org.post}"), ("POST", "/api/v1/companies")):
        headers = {"If-Match": '"v9"', "Content-Length": str(len(body)), **JSON}
        answer = client.open(path, method=method, input_stream=Trickle(body), headers=headers)
        assert answer.status_code in (412, 422), answer.data
    assert len(others) == 2


@pytest.mark.parametrize(
    "origin", ["http://[", "http://[x]", "null", "", "http://127.0.0.1.evil", "//127.0.0.1@evil"]
)
def test_an_origin_that_is_none_is_a_foreign_one(anonymous: Any, origin: str) -> None:
    answer = anonymous.post("/session", data={"token": "x"}, headers={"Origin": origin})
    assert (answer.status_code, answer.json["code"]) == (403, "foreign_origin")


class _Broken(io.BytesIO):
    def readinto(self, buffer: Any) -> int:
        raise RuntimeError("the server's word for a chunk that is none")

    read = readinto  # type: ignore[assignment]


def test_a_body_that_breaks_off_is_the_senders_fault(client: Any, org: Any) -> None:
    environ = {"wsgi.input_terminated": True}
    for method, path in (
        ("PATCH", f"/api/v1/posts/{org.post}"), ("POST", CODES), ("POST", "/api/v1/agent/checkin"),
    ):  # fmt: skip
        sent = {
            "headers": {"If-Match": '"v1"', **JSON},
            "environ_overrides": {**environ, "CONTENT_LENGTH": ""},
        }
        answer = client.open(path, method=method, input_stream=_Broken(b"{"), **sent)
        assert (answer.status_code, answer.json["code"]) == (400, "bad_body"), (path, answer.data)
