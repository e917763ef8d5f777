from __future__ import annotations

import base64
import json
import secrets
import uuid
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.escrow import keyring_rules as rules
from app.escrow.keyring_rules import KekState, Keyring
from app.escrow.vault import Vault
from app.kernel.errors import Unavailable

HOME = uuid.UUID(int=5)


@pytest.fixture
def private() -> X25519PrivateKey:
    return X25519PrivateKey.generate()


@pytest.fixture
def root() -> bytes:
    return secrets.token_bytes(32)


@pytest.fixture
def ring(private: X25519PrivateKey, root: bytes) -> Keyring:
    return rules.new_keyring(HOME, root, private.public_key().public_bytes_raw())


@pytest.fixture
def vault(tmp_path: Path, ring: Keyring, root: bytes) -> Vault:
    made = Vault(tmp_path / "escrow", tmp_path / "run" / "root.key", None)
    with made.changing():
        made.save(ring, root)
    made.put_root(root)
    return made


def code_of(call: object, *args: object) -> str:
    with pytest.raises(Unavailable) as caught:
        call(*args)  # type: ignore[operator]
    return caught.value.code


def test_the_file_is_whole_or_refused(ring: Keyring, root: bytes) -> None:
    raw = rules.write_ring(ring, root)
    assert rules.read_ring(raw, root) == ring
    for end in range(0, len(raw) - 2, 7):
        assert code_of(rules.read_ring, raw[:end], root) == "keyring_damaged"
    for junk in (b"", b"[]", b"{}", b"null", b'{"mac": 1, "format": 2}', b"\xff"):
        assert code_of(rules.read_ring, junk, root) == "keyring_damaged"


def test_a_changed_state_or_generation_is_seen(ring: Keyring, root: bytes) -> None:
    body = json.loads(rules.write_ring(rules.with_pending(ring, root), root))
    for change in ({"generation": 1}, {"installation": str(uuid.UUID(int=6))}, {"keks": body["keks"][:1]}):
        assert code_of(rules.read_ring, json.dumps({**body, **change}).encode(), root) == "keyring_damaged"


def test_root_three_ways(ring: Keyring, root: bytes, private: X25519PrivateKey) -> None:
    assert rules.root_by_recovery(ring, private.private_bytes_raw()) == root
    other = X25519PrivateKey.generate().private_bytes_raw()
    assert code_of(rules.root_by_recovery, ring, other) == "wrong_recovery_key"
    assert code_of(rules.root_by_passphrase, ring, "x") == "no_passphrase"
    ring = rules.with_passphrase(ring, root, "correct horse battery")
    assert rules.root_by_passphrase(ring, "correct horse battery") == root
    assert code_of(rules.root_by_passphrase, ring, "correct horse batterz") == "wrong_passphrase"
    assert code_of(rules.check_root, ring, other) == "wrong_root"


def test_the_life_of_a_key(ring: Keyring, root: bytes) -> None:
    pending = rules.with_pending(ring, root)
    assert rules.with_pending(pending, root) is pending
    assert [k.state for k in pending.keks] == [KekState.ACTIVE, KekState.PENDING]
    turned = rules.with_active(pending)
    assert [k.state for k in turned.keks] == [KekState.DECRYPT_ONLY, KekState.ACTIVE]
    assert turned.active.kek_id == 2
    gone = rules.with_destroyed(turned, 1)
    assert gone.keks[0].wrapped == ""
    assert gone.generation == 4
    for kek_id in (1, 2, 3):
        with pytest.raises(ValueError, match="decrypt_only"):
            rules.with_destroyed(gone, kek_id)
    assert rules.with_pending(gone, root).keks[-1].kek_id == 3


def test_sealed_and_open_at_once(vault: Vault, root: bytes) -> None:
    opened = vault.opened()
    assert opened is vault.opened()
    assert opened.active[0] == 1
    assert "wrapped" not in repr(opened)
    assert vault.root_file.stat().st_mode & 0o777 == 0o400
    assert vault.path.stat().st_mode & 0o777 == 0o600
    assert vault.path.parent.stat().st_mode & 0o077 == 0
    assert vault.drop_root()
    assert not vault.drop_root()
    assert code_of(vault.opened) == "escrow_sealed"
    vault.put_root(root)
    assert vault.opened().kek(1) == opened.kek(1)
    assert code_of(opened.kek, 9) == "kek_unknown"


def test_a_wrong_root_or_one_open_to_others(vault: Vault, root: bytes, tmp_path: Path) -> None:
    assert code_of(vault.put_root, secrets.token_bytes(32)) == "wrong_root"
    vault.root_file.chmod(0o440)
    assert code_of(vault.opened) == "root_open_to_others"
    vault.root_file.chmod(0o600)
    vault.root_file.write_text("nonsense")
    vault.root_file.chmod(0o400)
    assert code_of(vault.opened) == "wrong_root"
    by_text = Vault(tmp_path / "escrow", tmp_path / "none", base64.b64encode(root).decode())
    assert by_text.opened().ring.generation == 1
    assert not by_text.drop_root()
    assert code_of(Vault(tmp_path / "nowhere", tmp_path / "none", None).opened) == "escrow_not_set_up"


def test_a_destroyed_key_is_named(vault: Vault, root: bytes, ring: Keyring) -> None:
    turned = rules.with_active(rules.with_pending(ring, root))
    vault.save(rules.with_destroyed(turned, 1), root)
    assert code_of(vault.opened().kek, 1) == "kek_destroyed"
