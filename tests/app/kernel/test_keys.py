"""Key files: made once, private, and bound to their database."""

from __future__ import annotations

import threading

import pytest

from app.kernel.errors import Unavailable
from app.kernel.installation import check_keys, initialise
from app.kernel.keys import KeyStore


def test_a_key_is_made_once_and_private(tmp_path):
    made = KeyStore(tmp_path / "keys", may_create=True).secret("audit")
    assert KeyStore(tmp_path / "keys", may_create=False).secret("audit") == made
    path = tmp_path / "keys" / "audit.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["audit.key"]


def test_two_processes_that_start_at_once_agree_on_one_key(tmp_path):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(KeyStore(tmp_path, may_create=True).secret("audit")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


def test_no_key_is_made_where_one_is_missing(tmp_path):
    with pytest.raises(Unavailable, match="missing"):
        KeyStore(tmp_path, may_create=False).secret("audit")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_or_open_key_is_refused(tmp_path):
    store = KeyStore(tmp_path, may_create=True)
    store.secret("audit")
    path = tmp_path / "audit.key"
    path.chmod(0o644)
    with pytest.raises(Unavailable, match="chmod"):
        KeyStore(tmp_path, may_create=False).secret("audit")
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(Unavailable, match="damaged"):
        KeyStore(tmp_path, may_create=False).secret("audit")


def test_purposes_have_different_keys_and_fingerprints(tmp_path):
    store = KeyStore(tmp_path, may_create=True)
    assert store.secret("audit") != store.secret("agent-reads")
    assert store.fingerprint("audit") != store.fingerprint("agent-reads")


def test_a_database_refuses_another_installations_keys(session, app, clock, tmp_path):
    own = app.extensions["butler"].keys
    check_keys(session, own)
    foreign = KeyStore(tmp_path / "foreign", may_create=True)
    with pytest.raises(Unavailable) as caught:
        check_keys(session, foreign)
    assert caught.value.code == "foreign_keys"
    with pytest.raises(Unavailable):
        initialise(session, foreign, clock.now())


def test_readiness_says_so_when_the_keys_are_foreign(anonymous, app):
    path = app.extensions["butler"].settings.key_dir / "audit.key"
    path.write_bytes(bytes(32))
    app.extensions["butler"].keys._cache.clear()
    answer = anonymous.get("/readyz")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "foreign_keys")
