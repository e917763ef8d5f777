"""The wire format: the vectors as the page prints them, and what an attacker would try."""

from __future__ import annotations

import base64
import gzip
import json
import re
import tracemalloc
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent import wire

PAGE = (
    (Path(__file__).parents[2] / "docs" / "wire.md")
    .read_text(encoding="utf-8")
    .partition("## Test vectors")[2]
)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
KEYS = {wire.COMMAND_PURPOSE: PUBLIC}
RAW_PUBLIC = PUBLIC.public_bytes(Encoding.Raw, PublicFormat.Raw)
AGENT = "0197f000-0000-7000-8000-000000000001"
BODY = b'{"schema":1}'
COMMAND = wire.Command("c1", "read_phone", "a1", "S1", ("1",), {}, 60)


def page_blocks() -> list[str]:
    return [block.strip() for block in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)]


def page_headers() -> dict[str, str]:
    return dict(line.split(": ", 1) for line in page_blocks()[0].splitlines())


def signed(body: bytes = BODY, *, path: str = wire.CHECKIN_PATH, nonce: str = "n-1") -> wire.HttpMessage:
    message = wire.HttpMessage("POST", f"http://127.0.0.1:8000{path}", {})
    wire.sign_request(message, body, key=KEY, key_id=AGENT, nonce=nonce, created=1764000000)
    return message


def refused(message: wire.HttpMessage, body: bytes = BODY, key: Ed25519PrivateKey = KEY) -> str:
    with pytest.raises(wire.WireError) as caught:
        wire.verify_request(message, body, key=key.public_key())
    return caught.value.code


# --- the vectors of docs/wire.md ---------------------------------------------


def test_page_names_the_public_key_and_its_fingerprint() -> None:
    assert RAW_PUBLIC.hex() in PAGE
    assert wire.key_fingerprint(RAW_PUBLIC) in PAGE


def test_vector_1_signing_gives_the_headers_of_the_page() -> None:
    assert signed().headers == page_headers()


def test_vector_1_the_headers_of_the_page_verify() -> None:
    message = wire.HttpMessage("POST", f"https://any.host{wire.CHECKIN_PATH}", page_headers())
    assert wire.verify_request(message, BODY, key=PUBLIC) == wire.Verified(AGENT, "n-1", 1764000000)


def test_vector_2_command() -> None:
    payload, signature = page_blocks()[1].splitlines()
    assert wire.seal_command(COMMAND, KEY) == {"payload": payload, "signature": signature}
    assert wire.open_command({"payload": payload, "signature": signature}, KEYS, "a1") == COMMAND


def test_vector_4_box() -> None:
    (sealed,) = page_blocks()[2].splitlines()
    private = X25519PrivateKey.from_private_bytes(bytes(range(32)))
    ours = {"command": "c2", "agent": "a1", "serial": "S1"}
    assert wire.open_box(sealed, private, **ours) == {"old": "135790"}
    for name in ours:
        with pytest.raises(wire.BoxRejected):
            wire.open_box(sealed, private, **{**ours, name: "other"})
    raw = base64.b64decode(sealed)
    for place in (0, 31, 32, len(raw) - 1):
        flipped = bytes(b ^ (at == place) for at, b in enumerate(raw))
        with pytest.raises(wire.BoxRejected):
            wire.open_box(wire.b64(flipped), private, **ours)
    with pytest.raises(wire.BoxRejected):
        wire.open_box(wire.b64(raw[:-1]), private, **ours)


def test_boxes_tell_nothing_by_their_length() -> None:
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    ours = {"command": "c2", "agent": "a1", "serial": "S1"}
    lengths = {len(wire.seal_box({"old": "1" * n}, public, **ours)) for n in (4, 16, 60)}
    assert len(lengths) == 1
    with pytest.raises(ValueError, match="32 bytes"):
        wire.seal_box({}, b"short", **ours)


def test_vector_5_danger() -> None:
    payload, signature, vouched = page_blocks()[3].splitlines()
    command = wire.Command(
        "c2", "check_lock", "a1", "S1", ("1",), {"order": "o1", "sealed": "BOX"}, 60, wire.DANGER_PURPOSE
    )
    envelope = {"payload": payload, "signature": signature, "purpose": "danger"}
    assert wire.seal_command(command, KEY) == envelope
    assert wire.open_command(envelope, {wire.DANGER_PURPOSE: PUBLIC}, "a1") == command
    told = {"key": wire.b64(RAW_PUBLIC), "signature": vouched}
    assert wire.tell_key(wire.DANGER_PURPOSE, RAW_PUBLIC, "a1", KEY) == told
    assert wire.told_key(wire.DANGER_PURPOSE, told, PUBLIC, "a1") == told["key"]


def test_vector_3_section_tag() -> None:
    found = re.search(r"Tag of `(.*?)`: `([0-9a-f]{32})`", PAGE)
    assert found
    assert wire.section_tag(wire.canonical_json(json.loads(found[1]))) == found[2]


# --- signatures under attack ------------------------------------------------


def test_another_body_is_refused() -> None:
    assert refused(signed(), b'{"schema":2}') == "bad_signature"


def test_a_cut_body_is_refused() -> None:
    assert refused(signed(), BODY[:-1]) == "bad_signature"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", wire.ADOPT_PATH), ("PUT", wire.CHECKIN_PATH), ("POST", wire.CHECKIN_PATH + "/"), ("POST", "/")],
)
def test_another_path_or_method_is_refused(method: str, path: str) -> None:
    moved = wire.HttpMessage(method, f"http://127.0.0.1:8000{path}", dict(signed().headers))
    assert refused(moved) == "bad_signature"


def test_another_key_is_refused() -> None:
    assert refused(signed(), key=Ed25519PrivateKey.generate()) == "bad_signature"


@pytest.mark.parametrize("header", ["Content-Digest", "Signature-Input", "Signature"])
def test_a_missing_header_is_refused(header: str) -> None:
    message = signed()
    del message.headers[header]
    assert refused(message) == "bad_signature"


@pytest.mark.parametrize("header", ["Content-Digest", "Signature-Input", "Signature"])
@pytest.mark.parametrize("rubbish", ["", "sig1=", "sig1=::", "sig1=()", "\x00", "a" * 5000])
def test_a_rubbish_header_is_refused(header: str, rubbish: str) -> None:
    message = signed()
    message.headers[header] = rubbish
    assert refused(message) == "bad_signature"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("created=1764000000", "created=1764000001"),
        ('nonce="n-1"', 'nonce="n-2"'),
        (AGENT, AGENT[:-1] + "2"),
        ('"@method" ', ""),
        ('"@path" ', ""),
        (' "content-digest"', ""),
        ("ed25519", "hmac-sha256"),
        ("created=1764000000;", ""),
    ],
)
def test_a_changed_parameter_is_refused(old: str, new: str) -> None:
    message = signed()
    assert old in message.headers["Signature-Input"]
    message.headers["Signature-Input"] = message.headers["Signature-Input"].replace(old, new)
    assert refused(message) == "bad_signature"


@pytest.mark.parametrize("left_out", ["@method", "@path", "content-digest"])
def test_a_signature_that_covers_less_is_refused_although_it_is_valid(left_out: str) -> None:
    from http_message_signatures import HTTPMessageSigner, algorithms

    covered = [part for part in ("@method", "@path", "content-digest") if part != left_out]

    message = wire.HttpMessage("POST", f"http://127.0.0.1{wire.CHECKIN_PATH}", {})
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=wire._Keys(KEY, None))
    body = None if left_out == "content-digest" else BODY
    signer.sign(message, key_id=AGENT, nonce="n", label="sig1", covered_component_ids=covered, body=body)
    assert refused(message) == "bad_signature"


@pytest.mark.parametrize("nonce", ["", "n" * 65])
def test_a_nonce_of_no_or_too_great_length_is_refused(nonce: str) -> None:
    assert refused(signed(nonce=nonce)) == "bad_signature"


def test_a_second_signature_beside_the_first_is_refused() -> None:
    message = signed()
    for name in ("Signature-Input", "Signature"):
        message.headers[name] += ", " + message.headers[name].replace("sig1=", "sig2=", 1)
    assert refused(message) == "bad_signature"


def test_claimed_key_id_is_read_without_believing_it() -> None:
    assert wire.claimed_key_id({"signature-input": page_headers()["Signature-Input"]}) == AGENT


@pytest.mark.parametrize(
    "line", ["", "sig1", "sig1=();created=1", 'sig1=();keyid="a", sig2=();keyid="b"', "sig1=();keyid=1"]
)
def test_claimed_key_id_refuses_rubbish(line: str) -> None:
    with pytest.raises(wire.WireError, match="bad_signature"):
        wire.claimed_key_id({"Signature-Input": line})


# --- commands under attack ----------------------------------------------------


def opened(envelope: Mapping[str, object], agent: str = "a1") -> str:
    with pytest.raises(wire.WireError) as caught:
        wire.open_command(envelope, KEYS, agent)
    return caught.value.code


def test_a_foreign_command_is_named_as_such() -> None:
    assert opened(dict(wire.seal_command(COMMAND, KEY)), "a2") == "foreign_command"


def test_a_command_of_another_key_is_refused() -> None:
    assert opened(dict(wire.seal_command(COMMAND, Ed25519PrivateKey.generate()))) == "bad_command"


def test_a_command_signed_for_another_purpose_is_refused() -> None:
    payload = wire.seal_command(COMMAND, KEY)["payload"]
    other = KEY.sign(b"butler-command\0danger\0" + payload.encode())
    assert opened({"payload": payload, "signature": wire.b64(other)}) == "bad_command"


def test_a_changed_payload_is_refused() -> None:
    envelope = dict(wire.seal_command(COMMAND, KEY))
    assert opened({**envelope, "payload": str(envelope["payload"]).replace("S1", "S2")}) == "bad_command"


@pytest.mark.parametrize(
    "envelope",
    [
        {},
        {"payload": 1, "signature": "x"},
        {"payload": "{}", "signature": None},
        {"payload": "{}", "signature": "é"},
    ],
)
def test_a_malformed_envelope_is_refused(envelope: dict[str, object]) -> None:
    assert opened(envelope) == "bad_command"


@pytest.mark.parametrize(
    "payload",
    [
        "[]",
        "null",
        "{}",
        '{"schema":1,"id":"c"}',
        '{"schema":2}',
        "{",
        "\ud800",
        pytest.param("[" * 100_000, id="deep"),
        wire.seal_command(COMMAND, KEY)["payload"].replace('"expires_in_s":60', '"expires_in_s":Infinity'),
    ],
)
def test_a_signed_payload_of_another_shape_is_refused(payload: str) -> None:
    raw = payload.encode("utf-8", "surrogatepass")
    signature = wire.b64(KEY.sign(b"butler-command\0agent-reads\0" + raw))
    assert opened({"payload": payload, "signature": signature}) == "bad_command"


def test_a_signed_payload_of_a_later_schema_is_refused() -> None:
    body = json.loads(wire.seal_command(COMMAND, KEY)["payload"]) | {"schema": 2}
    raw = wire.canonical_json(body)
    envelope = {
        "payload": raw.decode(),
        "signature": wire.b64(KEY.sign(b"butler-command\0agent-reads\0" + raw)),
    }
    assert opened(envelope) == "bad_command"


# --- bodies -------------------------------------------------------------------


def test_gzip_goes_there_and_back() -> None:
    assert wire.gunzip(gzip.compress(BODY)) == BODY


def test_a_gzip_bomb_is_refused_before_it_fills_memory() -> None:
    engine = zlib.compressobj(1, wbits=31)
    blank = bytes(2**20)
    bomb = b"".join(engine.compress(blank) for _ in range(256)) + engine.flush()
    tracemalloc.start()
    try:
        with pytest.raises(wire.WireError, match="too_large"):
            wire.gunzip(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * wire.MAX_UNPACKED_BYTES


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        BODY,
        gzip.compress(BODY)[:-1],
        gzip.compress(BODY) + b"x",
        gzip.compress(BODY) * 2,
        zlib.compress(BODY),
    ],
    # Named: a gzip body holds the second it was made in, and the test's name must not.
    ids=["nothing", "not packed", "cut", "a byte more", "twice", "zlib"],
)
def test_rubbish_gzip_is_refused(packed: bytes) -> None:
    with pytest.raises(wire.WireError, match="bad_gzip"):
        wire.gunzip(packed)


def test_a_body_at_the_limit_passes_and_one_above_does_not() -> None:
    assert len(wire.gunzip(gzip.compress(bytes(100)), 100)) == 100
    with pytest.raises(wire.WireError, match="too_large"):
        wire.gunzip(gzip.compress(bytes(101)), 100)


@pytest.mark.parametrize("text", ["*", "AAA", "AA==\n", "AAAA "])
def test_sloppy_base64_is_refused(text: str) -> None:
    with pytest.raises(wire.WireError, match="bad_base64"):
        wire.unb64(text)


def test_base64_of_another_length_is_refused() -> None:
    assert wire.unb64(wire.b64(RAW_PUBLIC), 32) == RAW_PUBLIC
    with pytest.raises(wire.WireError, match="32 bytes"):
        wire.unb64(wire.b64(RAW_PUBLIC[:31]), 32)


def test_canonical_json_refuses_what_json_has_not() -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        wire.canonical_json({"a": float("nan")})


def test_tags_ignore_the_order_of_keys_and_see_the_order_of_lists() -> None:
    assert wire.canonical_json({"a": 1, "b": 2}) == wire.canonical_json({"b": 2, "a": 1})
    assert wire.section_tag(b"[1,2]") != wire.section_tag(b"[2,1]")


# --- enrolment code -----------------------------------------------------------

CODE = f"https://mdm.example.com#s3cret#{wire.key_fingerprint(RAW_PUBLIC)}"


def test_an_enrolment_code_goes_there_and_back() -> None:
    code = wire.EnrolmentCode.parse(f"  {CODE}\n")
    assert code == wire.EnrolmentCode("https://mdm.example.com", "s3cret", wire.key_fingerprint(RAW_PUBLIC))
    assert str(code) == CODE


def test_repr_of_a_code_hides_its_token() -> None:
    assert "s3cret" not in repr(replace(wire.EnrolmentCode.parse(CODE), url="http://x"))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "three parts"),
        ("https://mdm.example.com#s3cret", "three parts"),
        (CODE + "#more", "three parts"),
        (CODE.replace("https", "ftp"), "URL"),
        (CODE.replace("s3cret", ""), "token"),
        (CODE[:-1], "fingerprint"),
        (CODE[:-1] + "G", "fingerprint"),
    ],
)
def test_a_malformed_code_names_the_part_never_the_secret(text: str, named: str) -> None:
    with pytest.raises(wire.WireError, match=named) as caught:
        wire.EnrolmentCode.parse(text)
    assert "s3cret" not in str(caught.value)
