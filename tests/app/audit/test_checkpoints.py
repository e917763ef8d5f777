"""Checkpoints: signed by this installation, and whatever is done to the trail afterwards is found against them."""

from __future__ import annotations

import dataclasses
import json

import pytest
from sqlalchemy import delete, select, update

from app.audit import erase, read_checkpoint, sign_checkpoint, verify
from app.audit.model import AuditCheckpoint, AuditHead, AuditRow
from app.audit.walk_rules import as_spans, erased_events
from app.kernel.db import begin_write
from app.kernel.errors import Invalid
from app.kernel.keys import KeyStore


@pytest.fixture
def signed(session, append, keys, clock):
    """Five events, a checkpoint, two events more."""
    append(5)
    made = sign_checkpoint(session, keys, clock.now())
    append(2)
    return made


def _rewrite(session, append, count):
    """The whole trail made anew, as who holds the database can."""
    session.execute(delete(AuditRow))
    session.execute(delete(AuditHead))
    session.expire_all()
    session.commit()
    begin_write(session)
    append(count, actor="李四")


def test_nothing_is_signed_without_an_event_nor_twice_at_one_size(session, append, keys, clock):
    assert sign_checkpoint(session, keys, clock.now()) is None
    append()
    assert sign_checkpoint(session, keys, clock.now()).size == 1
    assert sign_checkpoint(session, keys, clock.move(3600)) is None


def test_a_whole_chain_verifies_against_its_checkpoints(session, signed, keys):
    assert signed.is_genuine()
    found = verify(session, keys, [signed])
    assert (found.size, found.problem, found.checkpoints, found.signed_size) == (7, None, 2, 5)


def test_a_checkpoint_survives_its_json_form(signed):
    assert read_checkpoint(json.loads(json.dumps(signed.document()))) == signed


def test_a_damaged_file_is_no_checkpoint(signed):
    for name in signed.document():
        for value in (None, "", "x", -1, [], "00", True):
            with pytest.raises(ValueError, match="butler-audit-checkpoint-v1"):
                read_checkpoint({**signed.document(), name: value})
    for document in (None, [], "x", {}):
        with pytest.raises(ValueError, match="not a"):
            read_checkpoint(document)


def test_every_forged_part_is_found(session, signed, keys):
    other = dataclasses.replace(signed, hash=bytes(32))
    for forged in (
        other,
        dataclasses.replace(signed, size=4),
        dataclasses.replace(signed, at_us=signed.at_us + 1),
        dataclasses.replace(signed, signature=bytes(64)),
        dataclasses.replace(signed, installation=signed.installation.__class__(int=1)),
    ):
        assert "checkpoint" in verify(session, keys, [forged]).problem


def test_a_checkpoint_by_another_key_is_not_ours(session, signed, keys, tmp_path):
    foreign = KeyStore(tmp_path / "foreign", may_create=True)
    public = foreign.public_key("audit")
    draft = dataclasses.replace(signed, public_key=public)
    theirs = dataclasses.replace(draft, signature=foreign.signer("audit").sign(draft.signed_bytes()))
    assert theirs.is_genuine()
    assert "not signed by this installation" in verify(session, keys, [theirs]).problem


def test_a_cut_tail_is_found_even_when_the_head_is_cut_with_it(session, signed, keys):
    session.execute(delete(AuditRow).where(AuditRow.seq > 3))
    third = session.get_one(AuditRow, 3)
    session.execute(update(AuditHead).values(size=3, hash=third.hash))
    session.expire_all()
    assert verify(session).problem is None  # without checkpoints nothing can tell
    assert "a checkpoint was signed at 5" in verify(session, keys).problem
    session.execute(delete(AuditCheckpoint))
    assert verify(session, keys).problem is None
    assert "a checkpoint was signed at 5" in verify(session, keys, [signed]).problem


@pytest.mark.parametrize("count", [0, 4, 5, 9])
def test_a_trail_made_anew_is_found(session, signed, keys, append, count):
    _rewrite(session, append, count)
    assert verify(session).problem is None
    for given in ([], [signed]):
        assert verify(session, keys, given).problem is not None
    session.execute(delete(AuditCheckpoint))
    assert verify(session, keys, [signed]).problem is not None


def test_a_trail_made_anew_and_signed_anew_contradicts_what_another_kept(
    session, signed, keys, append, clock
):
    session.execute(delete(AuditCheckpoint))
    _rewrite(session, append, 5)
    sign_checkpoint(session, keys, clock.now())
    assert verify(session, keys).problem is None
    assert "two checkpoints at 5 differ" in verify(session, keys, [signed]).problem


def test_a_forged_row_of_ours_is_found(session, signed, keys):
    session.execute(update(AuditCheckpoint).values(size=4))
    assert "not signed" in verify(session, keys).problem


def test_erasing_leaves_the_chain_whole_and_is_itself_told(session, append, keys, clock):
    append(2, object="employee:1")
    append()
    append(1, object="employee:1")
    sign_checkpoint(session, keys, clock.now())
    number = erase(session, "employee:1", actor="admin", reason=" 本人要求 ", now=clock.now())
    session.commit()
    begin_write(session)
    rows = session.scalars(select(AuditRow).order_by(AuditRow.seq)).all()
    assert number == 3
    assert [row.details is None for row in rows] == [True, True, False, True, False]
    assert [row.salt is None for row in rows] == [True, True, False, True, False]
    last = rows[-1]
    assert (last.action, last.object, last.reason) == ("audit.erased", "employee:1", "本人要求")
    assert json.loads(last.details) == {"events": [[1, 2], [4, 4]]}
    assert verify(session, keys).problem is None
    with pytest.raises(Invalid, match="没有可以删除"):  # the erasure's own details stay
        erase(session, "employee:1", actor="admin", reason="再来", now=clock.now())
    with pytest.raises(Invalid, match="原因"):
        erase(session, "thing:0", actor="admin", reason=" \n ", now=clock.now())


def test_details_that_nobody_erased_are_found(session, append):
    append(3)
    session.execute(update(AuditRow).where(AuditRow.seq == 2).values(details=None, salt=None))
    assert "no erasure says so" in verify(session).problem


def test_spans_name_each_number_once():
    assert as_spans([1, 2, 3, 7, 9, 10]) == [[1, 3], [7, 7], [9, 10]]
    assert as_spans([]) == []
    assert erased_events('{"events": [[1, 3], [7, 7]]}') == {1, 2, 3, 7}
