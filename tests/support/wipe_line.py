"""The line between a gateway's real client and the real server in this process: what is lost, doubled, altered or held
back on it is the test's choice."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3
from flask import Flask
from requests.adapters import BaseAdapter, HTTPAdapter

BASE = "http://127.0.0.1"


@dataclass
class Sent:
    path: str
    body: bytes
    headers: dict[str, str]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def to_server(app: Flask, sent: Sent) -> Answer:
    with app.test_client() as client:
        got = client.post(sent.path, data=sent.body, headers=sent.headers, base_url=BASE)
    return Answer(got.status_code, dict(got.headers), got.get_data())


@dataclass
class Line(BaseAdapter):
    """`carry` brings a request to the server. `before` may alter or refuse what is sent, `after` the answer; each works
    on one exchange and is gone. `seen`: all that went by, `answers` likewise.
    """

    carry: Callable[[Sent], Answer]
    before: Callable[[Sent], Sent] | None = None
    after: Callable[[Answer], Answer] | None = None
    seen: list[Sent] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    def send(self, request: requests.PreparedRequest, *_args: Any, **_named: Any) -> requests.Response:
        body = request.body if isinstance(request.body, bytes) else b""
        sent = Sent(str(request.path_url), body, {k: str(v) for k, v in request.headers.items()})
        self.seen.append(sent)
        before, self.before = self.before, None
        answer = self.carry(before(sent) if before else sent)
        self.answers.append(answer)
        after, self.after = self.after, None
        if after:
            answer = after(answer)
        raw = urllib3.HTTPResponse(
            io.BytesIO(answer.body), headers=answer.headers, status=answer.status, preload_content=False
        )
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Nothing is kept open."""


def lost(_anything: Any) -> Any:
    raise requests.ConnectionError("the line is cut")


def orders_in(answer: Answer) -> list[dict[str, Any]]:
    """The envelopes of commands in an answer."""
    try:
        found: list[dict[str, Any]] = json.loads(answer.body)["commands"]
    except (ValueError, KeyError, TypeError):
        return []
    return found


def with_orders(answer: Answer, orders: list[dict[str, Any]]) -> Answer:
    """The answer with other envelopes in it: nobody signs an answer as a whole."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return answer
    if answer.status != 200 or "commands" not in body:
        return answer
    raw = json.dumps({**body, "commands": orders}).encode()
    kept = {name: value for name, value in answer.headers.items() if name != "Content-Length"}
    return Answer(200, kept, raw)


def plain_orders(answer: Answer) -> list[dict[str, Any]]:
    """What the envelopes say, unverified: id, kind, serial and so on."""
    return [json.loads(envelope["payload"]) for envelope in orders_in(answer)]


def altered(sent: Sent, change: Callable[[Any], Any]) -> Sent:
    """The request with its JSON changed and its signature left as it was."""
    body = json.loads(gzip.decompress(sent.body))
    return Sent(sent.path, gzip.compress(json.dumps(change(body)).encode()), sent.headers)
