"""Who sends this: RFC 9421 signatures over the bytes as sent, checked before anything else looks at them."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from flask import Request
from sqlalchemy.orm import Session

from agent.wire import (
    ENROL_KEY_ID,
    MAX_PACKED_BYTES,
    SIGNATURE_WINDOW_S,
    HttpMessage,
    Verified,
    WireError,
    claimed_key_id,
    gunzip,
    verify_request,
)
from app.fleet import store
from app.fleet.refusals import bad_body, clock_skew, refusal
from app.fleet.rules import in_window
from app.http.bodies import reading_body
from app.kernel.ids import parse_id
from app.readings import AgentRef


@dataclass(frozen=True)
class SignedCall:
    """A request that an enrolled agent signed in time. Its nonce is not yet taken: see `service.admit`."""

    agent: AgentRef
    nonce: str
    body: Any


class NotANumber:
    """What stands in a body where JSON has no number (NaN, Infinity): no check takes it for anything."""


def read_body(request: Request, limit: int = MAX_PACKED_BYTES) -> bytes:
    """The bytes as sent. What is announced or turns out longer than `limit` is refused before it is read."""
    if (request.content_length or 0) > limit:
        raise refusal("too_large", f"at most {limit} bytes")
    # A body without a length is cut off at this limit without a word: the byte beyond tells that it went on.
    request.max_content_length = limit + 1
    with reading_body():
        raw = request.get_data(cache=False)
    if len(raw) > limit:
        raise refusal("too_large", f"at most {limit} bytes")
    return raw


def signed_call(request: Request, session: Session, now: dt.datetime) -> SignedCall:
    """Check signature, clock and standing of the sender, then unpack and parse. Reads the database, writes nothing."""
    raw = read_body(request)
    key_id = _key_id(request)
    agent_id = parse_id(key_id)
    row = None if agent_id is None else store.find_key(session, agent_id)
    # The look-up's transaction ends here: a write transaction must be one from its first statement.
    session.rollback()
    if row is None:
        raise refusal("unknown_agent", "no such agent")
    verified = verify(request, raw, row.ed25519, now)
    if row.revoked_at is not None:
        raise refusal("agent_revoked", "this agent was revoked")
    agent = AgentRef(row.id, row.centre_id, row.kind, row.handset_id)
    return SignedCall(agent, verified.nonce, parse_json(unpack(request, raw)))


def _key_id(request: Request) -> str:
    try:
        return claimed_key_id(dict(request.headers))
    except WireError as exc:
        raise refusal(exc.code, exc.detail) from exc


def verify(request: Request, raw: bytes, public_key: bytes, now: dt.datetime) -> Verified:
    """Raise `bad_signature` or `clock_skew`."""
    message = HttpMessage(
        request.method, f"http://agent{request.root_path}{request.path}", dict(request.headers)
    )
    try:
        verified = verify_request(message, raw, key=Ed25519PublicKey.from_public_bytes(public_key))
    except WireError as exc:
        raise refusal(exc.code, exc.detail) from exc
    except ValueError as exc:
        raise refusal("bad_signature", "the key is no Ed25519 key") from exc
    if not verified.nonce.isascii() or not verified.nonce.isprintable():
        raise refusal("bad_signature", "the nonce must be printable ASCII")
    if not in_window(verified.created, now, SIGNATURE_WINDOW_S):
        raise clock_skew(now)
    return verified


def verify_enrolment(request: Request, raw: bytes, public_key: bytes, now: dt.datetime) -> None:
    """The request must be signed by the very key that it brings: who sends a key must hold it."""
    if _key_id(request) != ENROL_KEY_ID:
        raise refusal("bad_signature", f"the key id of an enrolment is {ENROL_KEY_ID}")
    verify(request, raw, public_key, now)


def unpack(request: Request, raw: bytes) -> bytes:
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding == "identity":
        return raw
    if encoding != "gzip":
        raise bad_body("Content-Encoding", "must be gzip or left out")
    try:
        return gunzip(raw)
    except WireError as exc:
        raise refusal(exc.code, exc.detail) from exc


def parse_json(raw: bytes) -> Any:
    """Raise `bad_body`. NaN and Infinity, which JSON has not, spoil only the entry in which they stand."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        if b"NaN" not in raw and b"Infinity" not in raw:
            raise bad_body("body", "is not JSON") from exc
    try:
        found = json.loads(raw, parse_constant=lambda _: NotANumber())
        # This parser also takes half characters and endless numbers and depths: what orjson writes, the rest can hold.
        orjson.dumps(found, default=str)
    except (ValueError, TypeError, RecursionError) as exc:
        raise bad_body("body", "is not JSON") from exc
    return found
