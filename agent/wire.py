"""What agent and server say to each other: limits, bodies, signatures. Its prose and test vectors: `docs/wire.md`.

This is the only module of `agent` that `app` imports, so it touches neither disk nor network nor any clock.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import zlib
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature as BadEd25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)
from http_message_signatures.exceptions import HTTPMessageSignaturesException

from agent.wire_bodies import (
    AdoptAnswer,
    AdoptRequest,
    AgentState,
    Beat,
    BeatChecks,
    CheckinAnswer,
    CheckinRequest,
    CommandEnvelope,
    CommandResult,
    EnrolAnswer,
    EnrolRequest,
    Journal,
    JournalLast,
    PowerNow,
    PurposeKey,
    Reading,
    Rejected,
    Unreached,
    Unread,
    Wanted,
)
from agent.wire_box import BoxRejected, open_box, seal_box

__all__ = [
    "AdoptAnswer",
    "AdoptRequest",
    "AgentState",
    "Beat",
    "BeatChecks",
    "BoxRejected",
    "CheckinAnswer",
    "CheckinRequest",
    "CommandEnvelope",
    "CommandResult",
    "EnrolAnswer",
    "EnrolRequest",
    "Journal",
    "JournalLast",
    "PowerNow",
    "PurposeKey",
    "Reading",
    "Rejected",
    "Unreached",
    "Unread",
    "Wanted",
    "open_box",
    "seal_box",
]

SCHEMA = 1
ENROL_PATH = "/api/v1/agent/enrol"
CHECKIN_PATH = "/api/v1/agent/checkin"
ADOPT_PATH = "/api/v1/agent/adopt"

MAX_PACKED_BYTES = 4 * 2**20
MAX_UNPACKED_BYTES = 32 * 2**20
MAX_READINGS = 500
MAX_RESULTS = 500
MAX_JOURNALS = 500
MAX_BEATS = 500
SIGNATURE_WINDOW_S = 300
"""Older or younger than this by the server's clock: `clock_skew`. Nonces are kept for twice as long."""

SECTIONS = (
    "identity",
    "boot_reasons",
    "packages",
    "accounts",
    "users",
    "sim",
    "setup",
    "storage",
    "power_history",
    "security",
)
"""Parts of a snapshot that travel only when their tag changed."""

ENROL_KEY_ID = "enrol"
COMMAND_PURPOSE = "agent-reads"
DANGER_PURPOSE = "danger"
"""Commands that only a server with its escrow open can sign; gateways alone get them."""
_COMMAND_CONTEXT = b"butler-command\0"
_KEY_CONTEXT = b"butler-purpose-key\0"
_COVERED = ("@method", "@path", "content-digest")


class WireError(ValueError):
    """A body, code, signature or command that is not what `docs/wire.md` says. `code` is stable; no secret in it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


# --- enrolment code -----------------------------------------------------------


@dataclass(frozen=True)
class EnrolmentCode:
    """`URL#token#sha256(server command key)`; shown once to a person, typed or pasted at the gateway."""

    url: str
    token: str = field(repr=False)
    key_sha256: str

    def __str__(self) -> str:
        return f"{self.url}#{self.token}#{self.key_sha256}"

    @classmethod
    def parse(cls, text: str) -> EnrolmentCode:
        """Raise `WireError('bad_code')` naming the part that is wrong, never its value."""
        parts = text.strip().split("#")
        if len(parts) != 3:
            raise WireError("bad_code", "an enrolment code has three parts: URL#token#key fingerprint")
        url, token, fingerprint = parts
        if not url.startswith(("https://", "http://")):
            raise WireError("bad_code", "the first part must be the server's URL")
        if not token:
            raise WireError("bad_code", "the token is missing")
        if len(fingerprint) != 64 or not all(c in "0123456789abcdef" for c in fingerprint):
            raise WireError("bad_code", "the key fingerprint must be 64 hexadecimal digits")
        return cls(url.rstrip("/"), token, fingerprint)


def key_fingerprint(raw_public_key: bytes) -> str:
    """Hexadecimal sha256 of the 32 raw bytes of a public key."""
    return hashlib.sha256(raw_public_key).hexdigest()


# --- canonical forms ----------------------------------------------------------


def canonical_json(value: object) -> bytes:
    """UTF-8 JSON with sorted keys and no blanks; NaN is refused."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def section_tag(content: bytes) -> str:
    """Tag of a section's canonical JSON: 32 hexadecimal digits. The server compares tags, it never recomputes one."""
    return hashlib.sha256(content).hexdigest()[:32]


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def unb64(text: str, size: int | None = None) -> bytes:
    """Strict base64; raise `WireError('bad_base64')`, also for another length than `size` bytes."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, TypeError) as exc:
        raise WireError("bad_base64", "not base64") from exc
    if size is not None and len(raw) != size:
        raise WireError("bad_base64", f"expected {size} bytes")
    return raw


def gunzip(packed: bytes, limit: int = MAX_UNPACKED_BYTES) -> bytes:
    """Unpack one gzip member of at most `limit` bytes; memory never grows past the limit.

    Raise `WireError`: `too_large` past the limit (a bomb), `bad_gzip` for rubbish, a cut or trailing bytes.
    """
    engine = zlib.decompressobj(wbits=31)
    try:
        out = engine.decompress(packed, limit + 1)
    except zlib.error as exc:
        raise WireError("bad_gzip", "not a gzip body") from exc
    if len(out) > limit:
        raise WireError("too_large", f"unpacks to more than {limit} bytes")
    if not engine.eof or engine.unused_data:
        raise WireError("bad_gzip", "the gzip body is cut or has trailing bytes")
    return out


# --- RFC 9421 signatures --------------------------------------------------------


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, private: Ed25519PrivateKey | None, public: Ed25519PublicKey | None) -> None:
        self._private = private
        self._public = public

    def resolve_private_key(self, key_id: str) -> Any:
        return self._private

    def resolve_public_key(self, key_id: str) -> Any:
        return self._public


@dataclass
class HttpMessage:
    """The parts of an HTTP request that the signature library looks at."""

    method: str
    url: str
    headers: MutableMapping[str, str]


class _Verifier(HTTPMessageVerifier):
    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        # The library would read the machine's clock here; the server's own clock decides, in `check_created`.
        return


def sign_request(
    message: HttpMessage, body: bytes, *, key: Ed25519PrivateKey, key_id: str, nonce: str, created: int
) -> None:
    """Add `Content-Digest`, `Signature-Input` and `Signature` to `message.headers`.

    `body` is the bytes as sent (packed); `created` is epoch seconds, already mended by the known clock offset.
    """
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_Keys(key, None))
    signer.sign(
        message,
        key_id=key_id,
        created=dt.datetime.fromtimestamp(created, tz=dt.UTC),
        nonce=nonce,
        label="sig1",
        covered_component_ids=_COVERED,
        body=body,
    )


@dataclass(frozen=True)
class Verified:
    key_id: str
    nonce: str
    created: int


def claimed_key_id(headers: Mapping[str, str]) -> str:
    """The key id that a request names, unverified: only to look the key up. Raise `WireError('bad_signature')`."""
    line = next((v for k, v in headers.items() if k.lower() == "signature-input"), "")
    try:
        inputs = _Verifier._parse_signature_dictionary(line)
        (only,) = inputs.values()
        key_id = only.params["keyid"]
    except Exception as exc:
        raise WireError("bad_signature", "Signature-Input is missing or malformed") from exc
    if not isinstance(key_id, str):
        raise WireError("bad_signature", "keyid must be a string")
    return key_id


def verify_request(message: HttpMessage, body: bytes, *, key: Ed25519PublicKey) -> Verified:
    """Check digest and signature of a request; the caller checks `created` and that the nonce is new.

    Raise `WireError('bad_signature')` whatever is wrong, so that nobody learns which part it was.
    """
    verifier = _Verifier(signature_algorithm=algorithms.ED25519, key_resolver=_Keys(None, key))
    try:
        (result,) = verifier.verify(message, max_age=None, require_components=_COVERED, body=body)
    except HTTPMessageSignaturesException as exc:
        raise WireError("bad_signature", "the signature does not fit this request") from exc
    created, nonce = result.parameters.get("created"), result.nonce
    if result.body is None or type(created) is not int or not nonce or len(nonce) > 64:
        raise WireError("bad_signature", "created, nonce and a digest of the body are required")
    return Verified(str(result.parameters["keyid"]), nonce, created)


# --- commands -------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """One order to one agent about one phone. `expires_in_s` counts from receipt, on the agent's steady clock.

    `purpose` names the key that signed it: a kind is taken from its own purpose's key alone. `nonce` is that of the
    request that it answers: a dangerous one is of use in that answer alone, so that nobody can keep it for a later day.
    """

    id: str
    kind: str
    agent: str
    serial: str
    imei: tuple[str, ...]
    args: dict[str, Any]
    expires_in_s: int
    purpose: str = COMMAND_PURPOSE
    nonce: str = ""


def seal_command(command: Command, key: Ed25519PrivateKey) -> CommandEnvelope:
    """Sign a command with the key of its purpose; the payload travels as text, so both sides hash the same bytes."""
    payload = canonical_json(
        {
            "schema": SCHEMA,
            "id": command.id,
            "kind": command.kind,
            "agent": command.agent,
            "phone": {"serial": command.serial, "imei": list(command.imei)},
            "args": command.args,
            "expires_in_s": command.expires_in_s,
            **({"nonce": command.nonce} if command.nonce else {}),
        }
    )
    signature = b64(key.sign(_signed(command.purpose, payload)))
    envelope: CommandEnvelope = {"payload": payload.decode(), "signature": signature}
    if command.purpose != COMMAND_PURPOSE:
        envelope["purpose"] = command.purpose
    return envelope


def open_command(
    envelope: Mapping[str, object], keys: Mapping[str, Ed25519PublicKey], agent_id: str, nonce: str = ""
) -> Command:
    """Verify an envelope with the key of the purpose that it names, and that it is meant for this agent; a dangerous
    one also that it answers the request of this nonce.

    Raise `WireError`: `bad_command`, `no_key` (of that purpose), `foreign_command`, `stale_command`.
    """
    payload, signature = envelope.get("payload"), envelope.get("signature")
    purpose = envelope.get("purpose", COMMAND_PURPOSE)
    if not isinstance(payload, str) or not isinstance(signature, str) or not isinstance(purpose, str):
        raise WireError("bad_command", "payload, signature and purpose must be text")
    key = keys.get(purpose)
    if key is None:
        raise WireError("no_key", "no key is known for this purpose")
    try:
        raw = payload.encode()
        key.verify(unb64(signature, 64), _signed(purpose, raw))
        body = json.loads(raw)
        command = Command(
            id=str(body["id"]),
            kind=str(body["kind"]),
            agent=str(body["agent"]),
            serial=str(body["phone"]["serial"]),
            imei=tuple(str(i) for i in body["phone"]["imei"]),
            args=dict(body["args"]),
            expires_in_s=int(body["expires_in_s"]),
            purpose=purpose,
            nonce=str(body.get("nonce", "")),
        )
    except (BadEd25519, WireError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as exc:
        raise WireError("bad_command", "not signed by the server's key, or not understood") from exc
    if body.get("schema") != SCHEMA:
        raise WireError("bad_command", "unknown schema")
    if command.agent != agent_id:
        raise WireError("foreign_command", "meant for another agent")
    if purpose != COMMAND_PURPOSE and command.nonce != nonce:
        raise WireError("stale_command", "not an answer to this request")
    return command


def _signed(purpose: str, payload: bytes) -> bytes:
    return _COMMAND_CONTEXT + purpose.encode() + b"\0" + payload


def tell_key(purpose: str, raw: bytes, agent_id: str, command_key: Ed25519PrivateKey) -> PurposeKey:
    """The public key of a purpose, vouched for to one agent by the command key that it has pinned."""
    return {"key": b64(raw), "signature": b64(command_key.sign(_told(purpose, raw, agent_id)))}


def told_key(purpose: str, told: object, command_key: Ed25519PublicKey, agent_id: str) -> str:
    """The told key, base64. Raise `WireError('bad_key')`, also for one that was meant for another agent."""
    try:
        if not isinstance(told, dict):
            raise WireError("bad_key", "no object")
        raw = unb64(told["key"], 32)
        command_key.verify(unb64(told["signature"], 64), _told(purpose, raw, agent_id))
        Ed25519PublicKey.from_public_bytes(raw)
    except (BadEd25519, KeyError, ValueError) as exc:
        raise WireError("bad_key", "not vouched for by the server's command key") from exc
    return b64(raw)


def _told(purpose: str, raw: bytes, agent_id: str) -> bytes:
    return _KEY_CONTEXT + purpose.encode() + b"\0" + agent_id.encode() + b"\0" + raw
