import base64
import os
from pathlib import Path

import pytest
from adb_shell.auth.keygen import keygen
from adb_shell.auth.sign_cryptography import CryptographySigner

from agent.simulator import auth
from agent.simulator.protocol import ProtocolError


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> CryptographySigner:
    path = tmp_path_factory.mktemp("key") / "adbkey"
    keygen(str(path))
    return CryptographySigner(str(path))


def _line(signer: CryptographySigner) -> str:
    return auth.key_text(signer.GetPublicKey() + b"\0")


def test_a_signature_of_the_token_is_accepted(signer: CryptographySigner) -> None:
    token = os.urandom(20)
    assert auth.signed_by(_line(signer), token, signer.Sign(token))


def test_another_token_or_a_bent_signature_is_not(signer: CryptographySigner) -> None:
    token = os.urandom(20)
    signature = signer.Sign(token)
    assert not auth.signed_by(_line(signer), os.urandom(20), signature)
    assert not auth.signed_by(_line(signer), token, signature[:-1] + bytes((signature[-1] ^ 1,)))
    assert not auth.signed_by(_line(signer), token, b"")


def test_another_key_is_not_accepted(signer: CryptographySigner, tmp_path: Path) -> None:
    keygen(str(tmp_path / "other"))
    token = os.urandom(20)
    other = CryptographySigner(str(tmp_path / "other"))
    assert not auth.signed_by(_line(signer), token, other.Sign(token))


def test_a_key_that_is_no_key_is_refused(signer: CryptographySigner) -> None:
    blob = base64.b64decode(_line(signer).split(" ")[0])
    for bent in (
        b"",
        blob[:-1],
        bytes((65,)) + blob[1:],
        blob[:4] + b"\0\0\0\0" + blob[8:],
        blob[:300] + b"x" + blob[301:],
    ):
        with pytest.raises(ProtocolError):
            auth.parse_public_key(base64.b64encode(bent).decode())
    with pytest.raises(ProtocolError, match="not base64"):
        auth.parse_public_key("ä key")


def test_the_comment_of_a_key_is_kept_but_not_needed(signer: CryptographySigner) -> None:
    assert auth.key_text(b"QUJD tester@host\0") == "QUJD tester@host"
    auth.parse_public_key(_line(signer).split(" ")[0])
