"""审计记录核对 / Verifies an exported audit trail. Needs Python 3.9 or newer and nothing else.

    python3 verify_audit.py [DIR] [--checkpoint FILE …] [--public-key HEX]
    python3 verify_audit.py --certificate FILE [--pdf FILE] [--public-key HEX] [DIR]

DIR is the unpacked bundle (default: where this file lies). `--checkpoint` names checkpoint files that you kept
yourself, received by mail for example: only they prove that the whole trail was not replaced together with the key in
this bundle. `--public-key` is the key that you noted down earlier. Exit code 0: whole; 1: broken; 2: not readable.

`--certificate` checks a certificate of destruction (数据销毁证明, the JSON file), with `--pdf` that the paper is the
one that was certified, with DIR that the trail holds it unrevoked. `--public-key` is then the key of certificates.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import struct
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Ed25519 as in RFC 8032, section 5.1; only verification, of public data, so nothing here need run in constant time.
_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
_BASE_Y = 4 * pow(5, _P - 2, _P) % _P
_Point = tuple[int, int, int, int]
CERTIFICATE = "butler-wipe-certificate-v1"


def _x_of(y: int, sign: int) -> int | None:
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    if square == 0:
        return None if sign else 0
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P:
        return None
    return _P - x if x & 1 != sign else x


def _point(raw: bytes) -> _Point | None:
    number = int.from_bytes(raw, "little")
    y = number & (2**255 - 1)
    x = _x_of(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % _P)


def _add(p: _Point, q: _Point) -> _Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % _P
    b = (p[1] + p[0]) * (q[1] + q[0]) % _P
    c, d = 2 * p[3] * q[3] * _D % _P, 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(factor: int, p: _Point) -> _Point:
    total: _Point = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = _add(total, p)
        p = _add(p, p)
        factor >>= 1
    return total


def ed25519_is_genuine(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this signature (64 bytes) of the message was made by the owner of the public key (32 bytes)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    owner, nonce = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    base = _point(_BASE_Y.to_bytes(32, "little"))
    if owner is None or nonce is None or base is None or s >= _L:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    left = _times(s, base)
    right = _add(nonce, _times(int.from_bytes(digest, "little") % _L, owner))
    same_x = (left[0] * right[2] - right[0] * left[2]) % _P == 0
    return same_x and (left[1] * right[2] - right[1] * left[2]) % _P == 0


def event_hash(event: dict[str, Any], previous: bytes) -> bytes:
    """sha256 over length-prefixed fields, in this order."""
    words = ("centre", "actor", "ip", "action", "object", "reason", "outcome")
    parts = [b"butler-audit-v1", struct.pack(">q", event["seq"]), struct.pack(">q", event["at_us"])]
    parts += [event[word].encode() for word in words]
    parts += [bytes.fromhex(event["details_commit"]), previous]
    return hashlib.sha256(b"".join(struct.pack(">I", len(part)) + part for part in parts)).digest()


def checkpoint_bytes(checkpoint: dict[str, Any]) -> bytes:
    """What a checkpoint's signature covers."""
    numbers = struct.pack(">qq", checkpoint["size"], checkpoint["at_us"])
    installation = uuid.UUID(checkpoint["installation"]).bytes
    return b"butler-audit-checkpoint-v1\0" + installation + numbers + bytes.fromhex(checkpoint["hash"])


class Broken(Exception):
    """The first thing that is wrong."""


def check_details(event: dict[str, Any]) -> set[int]:
    """The events whose details this one says were erased. Raise `Broken` when its own are not what was committed to."""
    salted = bytes.fromhex(event["salt"]) + event["details"].encode()
    if hashlib.sha256(b"butler-audit-details-v1" + salted).hexdigest() != event["details_commit"]:
        raise Broken(f"the details of event {event['seq']} were altered")
    if event["action"] != "audit.erased":
        return set()
    spans = json.loads(event["details"]).get("events", [])
    return {seq for first, last in spans for seq in range(first, last + 1)}


def check_chain(events: Iterator[dict[str, Any]], expected: dict[int, str]) -> tuple[int, int]:
    """How many events there are, and of how many the details were erased. Raise `Broken`."""
    previous, size = hashlib.sha256(b"butler-audit-genesis-v1").digest(), 0
    erased: set[int] = set()
    explained: set[int] = set()
    for event in events:
        seq = event["seq"]
        if seq != size + 1:
            raise Broken(f"event {size + 1} is missing")
        own = event_hash(event, previous)
        if event["prev_hash"] != previous.hex() or event["hash"] != own.hex():
            raise Broken(f"event {seq} was altered")
        if event["details"] is None:
            erased.add(seq)
        else:
            explained |= check_details(event)
        if expected.get(seq, event["hash"]) != event["hash"]:
            raise Broken(f"the checkpoint at {seq} was signed for another chain: the trail was rewritten")
        previous, size = own, seq
    if any(at > size for at in expected):
        raise Broken(f"events after {size} are missing: a checkpoint was signed at {max(expected)}")
    if erased - explained:
        raise Broken(f"the details of event {min(erased - explained)} are gone, and no erasure says so")
    return size, len(erased)


def check_checkpoints(found: list[dict[str, Any]], public: str) -> dict[int, str]:
    """The hash at each checkpoint's size. Raise `Broken` for a false signature or for two that contradict."""
    expected: dict[int, str] = {}
    installations = {one["installation"] for one in found}
    if len(installations) > 1:
        raise Broken("the checkpoints are of different installations")
    for one in found:
        genuine = ed25519_is_genuine(
            bytes.fromhex(public), checkpoint_bytes(one), bytes.fromhex(one["signature"])
        )
        if one["public_key"] != public or not genuine:
            raise Broken(f"the checkpoint at {one['size']} was not signed by the key {public}")
        if expected.setdefault(one["size"], one["hash"]) != one["hash"]:
            raise Broken(f"two checkpoints at {one['size']} differ: the trail was rewritten")
    return expected


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Verifies an exported audit trail, or a certificate / 审计记录与证明核对"
    )
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--checkpoint", action="append", type=Path, default=[], metavar="FILE")
    parser.add_argument("--public-key", metavar="HEX")
    parser.add_argument("--certificate", type=Path, metavar="FILE")
    parser.add_argument("--pdf", type=Path, metavar="FILE")
    return parser.parse_args()


def check_bundle(
    folder: Path, kept: list[Path], public_key: str | None, say: Callable[[str], object]
) -> None:
    """Tell what was found. Raise `Broken` for the first thing that is wrong."""
    public = (folder / "public_key.txt").read_text(encoding="utf-8").strip()
    if public_key and public_key.strip().lower() != public:
        raise Broken("the bundle's public key is not the one that you named")
    given = [json.loads(path.read_text(encoding="utf-8")) for path in kept]
    expected = check_checkpoints([*_lines(folder / "checkpoints.jsonl"), *given], public)
    size, erased = check_chain(_lines(folder / "events.jsonl"), expected)
    signed = max(expected, default=0)
    say(f"完整 / whole: {size} events, {erased} with erased details")
    say(f"签名检查点 / checkpoints: {len(expected)}, the last at event {signed}; public key {public}")
    if signed < size:
        say(
            f"注意 / note: events {signed + 1} to {size} stand after the last checkpoint, no signature covers them"
        )
    if not kept and not public_key:
        say(
            "注意 / note: checked only against what is in this bundle; to rule out that all of it was replaced,"
        )
        say("  give a checkpoint that you kept (--checkpoint) or the key that you noted down (--public-key)")


def read_certificate(raw: bytes) -> dict[str, Any]:
    """The certificate's members. Raise `Broken` unless these very bytes are what the key in it signed."""
    try:
        told = json.loads(raw.decode())
        # One way to write it, so that no byte of the file can be another: not a blank, not a capital letter.
        body = json.dumps(told["body"], ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        whole = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        public, signature = bytes.fromhex(told["public_key"]), bytes.fromhex(told["signature"])
        exact = whole == raw and (public.hex(), signature.hex()) == (told["public_key"], told["signature"])
        known = told["format"] == CERTIFICATE and set(told) == {"body", "format", "public_key", "signature"}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise Broken("this is no certificate, or it was altered") from exc
    if not (exact and known and ed25519_is_genuine(public, CERTIFICATE.encode() + b"\0" + body, signature)):
        raise Broken("the certificate was altered after it was signed")
    return dict(told)


def check_certificate(raw: bytes, pdf: bytes | None, public_key: str | None) -> dict[str, Any]:
    """What it says. Raise `Broken` for another key, for an altered one, and for another PDF."""
    told = read_certificate(raw)
    if public_key and public_key.strip().lower() != told["public_key"]:
        raise Broken("it was not signed by the key that you named")
    body: dict[str, Any] = told["body"]
    if pdf is not None and hashlib.sha256(pdf).hexdigest() != body["pdf_sha256"]:
        raise Broken("the PDF is not the one that was certified")
    return body


def check_in_trail(folder: Path, body: dict[str, Any]) -> None:
    """Raise `Broken` when the bundle does not hold the certificate's event, or holds its revocation."""
    audit, subject = body["audit"], f"wipe:{body['wipe']}"
    if (folder / "public_key.txt").read_text(encoding="utf-8").strip() != audit["public_key"]:
        raise Broken(
            "the bundle is of another installation: its key is not the one that the certificate names"
        )
    found = False
    for event in _lines(folder / "events.jsonl"):
        if event["seq"] == audit["seq"]:
            found = event["hash"] == audit["hash"] and event["object"] == f"paper:{body['paper']}"
        if (
            event["action"] == "wipe.cert_revoke"
            and event["object"] == subject
            and event["seq"] > audit["seq"]
        ):
            raise Broken(f"已撤销 / the certificate was revoked by event {event['seq']}: {event['reason']}")
    if not found:
        raise Broken(
            f"the trail does not hold the certificate: event {audit['seq']} is another, or not in it"
        )


def tell_certificate(chosen: argparse.Namespace, say: Callable[[str], object]) -> None:
    """Check what was named on the command line. Raise `Broken`."""
    raw = chosen.certificate.read_bytes()
    body = check_certificate(raw, chosen.pdf.read_bytes() if chosen.pdf else None, chosen.public_key)
    public = bytes.fromhex(json.loads(raw)["public_key"])
    phone = body["phone"]
    say(f"签名有效 / the signature is genuine: {body['number']}, {body['issued_at']}")
    say(f"手机 / phone: {phone['asset_tag']}, serial {phone['serial']}, IMEI {', '.join(phone['imeis'])}")
    say(f"结论 / grade: {body['grade_words']} ({body['grade']})")
    say(f"公钥 / public key: {public.hex()}, sha256 {hashlib.sha256(public).hexdigest()[:32]}")
    if chosen.pdf:
        say("PDF 一致 / the PDF is the one that was certified")
    if chosen.folder:
        check_bundle(chosen.folder, chosen.checkpoint, None, say)
        check_in_trail(chosen.folder, body)
        say(
            f"审计记录里有它，没有撤销 / the trail holds it at event {body['audit']['seq']}, and no revocation"
        )
    else:
        say(
            "注意 / note: whether it was revoked since is told by the trail (DIR) or the page behind the QR code"
        )
    if not chosen.public_key:
        say("注意 / note: compare the public key with the one that you noted down (--public-key)")


def main() -> int:
    chosen = _arguments()

    def say(line: str) -> None:
        sys.stdout.write(line + "\n")

    try:
        if chosen.certificate:
            tell_certificate(chosen, say)
        else:
            folder = chosen.folder or Path(__file__).resolve().parent
            check_bundle(folder, chosen.checkpoint, chosen.public_key, say)
    except Broken as exc:
        sys.stdout.write(f"已损坏 / BROKEN: {exc}\n")
        return 1
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        sys.stderr.write(f"无法读取 / not readable: {type(exc).__name__}: {exc}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
