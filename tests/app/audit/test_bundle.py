"""The bundle verifies by itself, in a Python that knows nothing of ours, and every change of it is found."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from app.audit import erase, sign_checkpoint, verify, verify_audit
from app.audit.model import AuditRow
from app.kernel.db import begin_write

# RFC 8032, section 7.1: public key, message, signature.
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        ("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595b"
        "be24655141438e7a100b"),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        ("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb430"
        "2aeeb00d291612bb0c00"),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        ("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716e"
        "d28dc027beceea1ec40a"),
    ),
]  # fmt: skip


@pytest.fixture
def bundle(app, session, append, keys, clock, tmp_path):
    """Exported from a trail with an erasure in it, through the command line."""
    append(3)
    sign_checkpoint(session, keys, clock.now())
    append(2, object="employee:1")
    erase(session, "employee:1", actor="admin", reason="本人要求", now=clock.now())
    session.commit()
    target = tmp_path / "bundle"
    result = app.test_cli_runner().invoke(args=["audit", "export", str(target)])
    assert result.exit_code == 0, result.output
    session.rollback()
    begin_write(session)
    return target


def _run(bundle, *arguments):
    # -I: no user's packages, no environment, no current folder; -S: none of the installed ones either.
    command = [sys.executable, "-I", "-S", str(bundle / "verify_audit.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", encoding="utf-8")
    return done.returncode, done.stdout + done.stderr


def _change(bundle, name, number, **values):
    path = bundle / name
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    lines[number].update(values)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def test_a_bundle_verifies_without_our_code(bundle, session):
    code, said = _run(bundle)
    assert code == 0, said
    assert "whole: 6 events, 2 with erased details" in said
    assert "checkpoints: 2, the last at event 6" in said
    assert "stand after the last checkpoint" not in said
    exported = session.scalars(select(AuditRow).order_by(AuditRow.seq.desc()).limit(1)).one()
    assert (exported.seq, exported.action, exported.actor) == (7, "audit.exported", "system")


def test_what_somebody_kept_is_held_against_it(bundle, session, keys, tmp_path):
    kept = tmp_path / "kept.json"
    first = (bundle / "checkpoints.jsonl").read_text().splitlines()[0]
    kept.write_text(first)
    public = keys.public_key("audit").hex()
    assert _run(bundle, "--checkpoint", str(kept), "--public-key", public)[0] == 0
    assert "not the one that you named" in _run(bundle, "--public-key", "00" * 32)[1]
    kept.write_text(json.dumps({**json.loads(first), "hash": "00" * 32}))
    assert _run(bundle, "--checkpoint", str(kept))[0] == 1


CHANGES = [
    {"actor": "x"}, {"ip": "::1"}, {"action": "x.y"}, {"object": "x:1"}, {"reason": "x"}, {"outcome": "x"},
    {"centre": "x"}, {"at_us": 1}, {"seq": 9}, {"details": "{}"}, {"details": None}, {"salt": "00"},
    {"details_commit": "00" * 32}, {"prev_hash": "00" * 32}, {"hash": "00" * 32},
]  # fmt: skip


def _problem(bundle):
    try:
        verify_audit.check_bundle(bundle, [], None, lambda line: None)
    except verify_audit.Broken as exc:
        return str(exc)
    return None


def test_every_changed_field_is_found(bundle):
    events = bundle / "events.jsonl"
    whole = events.read_bytes()
    for values in CHANGES:
        _change(bundle, "events.jsonl", 1, **values)
        assert _problem(bundle) is not None, values
        events.write_bytes(whole)
    assert _problem(bundle) is None


def test_cut_and_replaced_trails_are_found(bundle):
    events = bundle / "events.jsonl"
    lines = events.read_text(encoding="utf-8").splitlines(keepends=True)
    for kept in (lines[:-1], lines[1:], lines[:2] + lines[3:], []):
        events.write_text("".join(kept), encoding="utf-8")
        assert _problem(bundle) is not None
    assert _run(bundle)[0] == 1
    events.write_text("{", encoding="utf-8")
    assert _run(bundle)[0] == 2


def test_a_forged_checkpoint_is_found(bundle):
    checkpoints = bundle / "checkpoints.jsonl"
    whole = checkpoints.read_bytes()
    for name in ("hash", "signature", "public_key", "installation"):
        value = json.loads(whole.splitlines()[0])[name]
        _change(bundle, "checkpoints.jsonl", 0, **{name: value[:-1] + ("0" if value[-1] != "0" else "1")})
        assert _problem(bundle) is not None, name
        checkpoints.write_bytes(whole)


def test_a_zip_file_holds_the_same(app, session, append, tmp_path):
    append(2)
    session.commit()
    target = tmp_path / "audit.zip"
    runner = app.test_cli_runner()
    assert runner.invoke(args=["audit", "export", str(target)]).exit_code == 0
    session.rollback()
    again = runner.invoke(args=["audit", "export", str(target)])
    assert (again.exit_code, "目标已有内容" in again.output) == (1, True)
    with zipfile.ZipFile(target) as archive:
        archive.extractall(tmp_path / "out")
    assert _run(tmp_path / "out")[0] == 0
    session.rollback()
    begin_write(session)
    assert verify(session).size == 3  # the refused one is no event


@pytest.mark.parametrize(("public", "message", "signature"), RFC_8032)
def test_published_signatures(public, message, signature):
    known = [bytes.fromhex(part) for part in (public, message, signature)]
    assert verify_audit.ed25519_is_genuine(*known)
    for place in range(3):
        for bit in range(0, len(known[place]) * 8, 37):
            forged = [bytearray(part) for part in known]
            forged[place][bit // 8] ^= 1 << bit % 8
            assert not verify_audit.ed25519_is_genuine(*map(bytes, forged))


def test_signatures_of_the_library_are_known_and_a_raised_one_is_refused():
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"x")
    assert verify_audit.ed25519_is_genuine(public, b"x", signature)
    order = 2**252 + 27742317777372353535851937790883648493
    raised = int.from_bytes(signature[32:], "little") + order  # malleable: RFC 8032 refuses S >= L
    assert not verify_audit.ed25519_is_genuine(public, b"x", signature[:32] + raised.to_bytes(32, "little"))
    assert not verify_audit.ed25519_is_genuine(public, b"x", signature[:-1])
