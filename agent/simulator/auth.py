"""Who may talk to the phone: Android's public key format and the signature of the AUTH token."""

import base64
import binascii
import struct
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA1

from agent.simulator.protocol import ProtocolError

_WORDS = 64
_SIZE = _WORDS * 4
_LAYOUT = struct.Struct(f"<II{_SIZE}s{_SIZE}sI")
_WORD = 1 << 32


def key_text(payload: bytes) -> str:
    """The line for the phone's `adb_keys` out of an AUTH RSAPUBLICKEY payload (base64, a space, a comment,
    NUL).
    """
    return payload.rstrip(b"\0").decode("utf-8", "replace").strip()


@lru_cache(maxsize=1024)
def parse_public_key(line: str) -> rsa.RSAPublicKey:
    """Key of one `adb_keys` line: base64 of word count, n0inv, modulus, R^2 mod n, exponent, all
    little-endian.

    Raises `ProtocolError` when it is not a consistent RSA-2048 key.
    """
    try:
        blob = base64.b64decode(line.split(" ", 1)[0], validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProtocolError("public key is not base64") from error
    if len(blob) != _LAYOUT.size:
        raise ProtocolError(f"public key of {len(blob)} bytes, {_LAYOUT.size} wanted")
    words, n0inv, modulus, squared, exponent = _LAYOUT.unpack(blob)
    n = int.from_bytes(modulus, "little")
    if words != _WORDS or not n & 1 or n.bit_length() != _SIZE * 8:
        raise ProtocolError("public key is not RSA-2048")
    if n0inv != _WORD - pow(n, -1, _WORD) or int.from_bytes(squared, "little") != pow(2, _SIZE * 16, n):
        raise ProtocolError("public key's Montgomery numbers do not fit its modulus")
    try:
        return rsa.RSAPublicNumbers(exponent, n).public_key()
    except ValueError as error:
        raise ProtocolError("public key's exponent is refused") from error


def signed_by(line: str, token: bytes, signature: bytes) -> bool:
    """Whether `signature` is the key's PKCS#1 v1.5 signature of the 20-byte token, taken as a SHA-1 digest."""
    try:
        key = parse_public_key(line)
        key.verify(signature, token, padding.PKCS1v15(), utils.Prehashed(SHA1()))  # noqa: S303 (ADB)
    except (InvalidSignature, ProtocolError):
        return False
    return True
