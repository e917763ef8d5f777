"""The agent's ADB key: made once, whole, for its owner's eyes only."""

from __future__ import annotations

import base64
import hashlib
import os
import struct
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from agent import adbkey
from agent.adbkey import AdbKey, default_key_path, load_or_create
from agent.errors import KeyFileError
from agent.simulator.auth import signed_by

TOKEN = hashlib.sha1(b"token").digest()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("key") / "deep" / "adbkey"
    load_or_create(made)
    return made


def test_it_is_made_once_for_its_owner_only(path: Path) -> None:
    before = path.read_bytes()
    load_or_create(path)
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["adbkey"]


def test_it_is_never_readable_by_others_not_even_while_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    real = os.fsync

    def look(handle: int) -> None:
        modes.append(os.fstat(handle).st_mode & 0o777)
        real(handle)

    monkeypatch.setattr(os, "fsync", look)
    old = os.umask(0)
    try:
        load_or_create(tmp_path / "k")
    finally:
        os.umask(old)
    assert modes == [0o600]


def test_two_agents_that_start_together_end_with_one_key(tmp_path: Path) -> None:
    keys: list[bytes] = []
    gate = threading.Barrier(4)

    def start() -> None:
        gate.wait()
        keys.append(load_or_create(tmp_path / "adbkey").GetPublicKey())

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 4
    assert len(set(keys)) == 1


def test_without_hard_links_it_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    load_or_create(tmp_path / "adbkey")
    assert (tmp_path / "adbkey").stat().st_mode & 0o777 == 0o600
    assert len(list(tmp_path.iterdir())) == 1


def test_signature_and_public_key_fit(path: Path) -> None:
    key = load_or_create(path)
    line = key.GetPublicKey().decode()
    assert signed_by(line, TOKEN, key.Sign(TOKEN))
    assert not signed_by(line, hashlib.sha1(b"other").digest(), key.Sign(TOKEN))


def test_androids_form_of_the_public_key(path: Path) -> None:
    private = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    numbers = private.public_key().public_numbers()
    blob, comment = AdbKey(private, "me@here").GetPublicKey().split(b" ")
    words, n0inv, modulus, rr, exponent = struct.unpack("<II256s256sI", base64.b64decode(blob))
    n = int.from_bytes(modulus, "little")
    assert (words, n, exponent, comment) == (64, numbers.n, 65537, b"me@here")
    assert (n0inv * n) % 2**32 == 2**32 - 1
    assert int.from_bytes(rr, "little") == pow(2, 4096, n)
    private.public_key().verify(
        AdbKey(private, "").Sign(TOKEN), TOKEN, padding.PKCS1v15(), utils.Prehashed(hashes.SHA1())
    )


def test_a_key_that_others_may_read_is_refused(path: Path, tmp_path: Path) -> None:
    loose = tmp_path / "adbkey"
    loose.write_bytes(path.read_bytes())
    loose.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_or_create(loose)


def test_other_files_are_refused_without_a_word_of_them(tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for content in (b"top secret", other, b""):
        path = tmp_path / "adbkey"
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(KeyFileError) as caught:
            load_or_create(path)
        assert "secret" not in str(caught.value)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyFileError):
        load_or_create(tmp_path / "file" / "adbkey")
    with pytest.raises(KeyFileError):
        load_or_create(tmp_path)


def test_where_it_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AGENT_ADB_KEY", str(tmp_path / "k"))
    assert default_key_path() == tmp_path / "k"
    monkeypatch.delenv("AGENT_ADB_KEY")
    assert default_key_path().name == "adbkey"
    assert adbkey.MODULUS_BYTES == 256
