"""Nothing of a signed paper can be changed in the database or the files without the check finding it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest
from flask import Flask
from sqlalchemy import delete, text, update
from sqlalchemy.orm import Session

from app.audit import erase
from app.kernel.blobs import Blob
from app.kernel.clock import FixedClock
from app.kernel.db import db
from app.kernel.jobs import Transactions
from app.kernel.keys import KeyStore
from app.papers.checking import Verdict, check_beside, check_paper, overall, record_check
from app.papers.document import blobs_of, from_plain
from app.papers.model import Paper, PaperParty
from app.papers.printing import Press, pdf_of
from tests.app.conftest import Org

Issued = Callable[..., uuid.UUID]


class Bench:
    """One paper, printed, and what the check says of it after each mischief."""

    def __init__(self, app: Flask, transactions: Transactions, press: Press, paper_id: uuid.UUID) -> None:
        self.here, self.transactions, self.id = app.extensions["butler"], transactions, paper_id
        with transactions() as session:
            paper = session.get_one(Paper, paper_id)
            self.code, document = paper.code, paper.document
            self.names = blobs_of(from_plain(orjson.loads(document)))
        with app.app_context(), Session(db.engine) as reader:
            self.pdf = pdf_of(reader, press, reader.get_one(Paper, paper_id))

    def verdict(self, given: bytes | None = None) -> Verdict:
        with self.transactions() as session:
            paper = session.get_one(Paper, self.id)
            return overall(check_paper(session, self.here.blobs, self.here.keys, paper, given))

    def problems(self) -> list[str]:
        with self.transactions() as session:
            return list(record_check(session, self.here.blobs, self.here.keys))

    def do(self, *statements: object) -> None:
        with self.transactions() as session:
            for statement in statements:
                session.execute(statement)  # type: ignore[call-overload]


@pytest.fixture
def bench(app: Flask, transactions: Transactions, press: Press, issued: Issued) -> Bench:
    return Bench(app, transactions, press, issued())


def test_untouched_it_is_genuine(bench: Bench) -> None:
    assert bench.verdict() is Verdict.GENUINE
    assert bench.verdict(bench.pdf) is Verdict.GENUINE
    assert bench.problems() == []


def test_one_byte_of_the_pdf(bench: Bench) -> None:
    for byte in (0, 1000, -1):
        torn = bytearray(bench.pdf)
        torn[byte] ^= 1
        assert bench.verdict(bytes(torn)) is Verdict.FALSE
    assert bench.verdict(bench.pdf[:-1]) is Verdict.FALSE
    assert bench.verdict(b"") is Verdict.FALSE


def _swap(old: str, new: str) -> object:
    return update(Paper).values(document=text("replace(document, :old, :new)").bindparams(old=old, new=new))


_CHANGES = (
    _swap("一号片区管家", "二号片区管家"),
    _swap("完好", "碎裂"),
    _swap("缺少", "完好"),
    _swap('"text":"无"', '"text":"有"'),
    _swap("正面", "侧面"),
    _swap("移交人", "接收人"),
    _swap("张三", "李四"),
    _swap('"over":"aaaa', '"over":"aaab'),
    _swap('"schema":1', '"schema": 1'),
    update(Paper).values(document="{}"),
    update(Paper).values(document=""),
    update(Paper).values(title="领取登记单"),
    update(Paper).values(about="岗位 P09 别人的"),
    update(Paper).values(number="JJ-C1-2026-9999"),
    update(Paper).values(kind="issue"),
    update(Paper).values(subject="handover_leg:2"),
    update(Paper).values(code="another"),
    update(Paper).values(issued_by="user-2"),
    update(Paper).values(issued_at=text("issued_at + 1")),
    update(Paper).values(sha256="0" * 64),
    update(Paper).values(signature=b"\0" * 64),
    update(Paper).values(pdf_sha256=None),
    delete(PaperParty),
)


def test_any_change_of_the_row_is_found(bench: Bench, org: Org) -> None:
    elsewhere = (
        update(Paper).values(centre_id=org.other_centre),
        update(PaperParty).values(employee_id=org.li),
    )
    for change in (*_CHANGES, *elsewhere):
        with bench.transactions() as session:
            session.execute(change)  # type: ignore[call-overload]
            paper = session.get_one(Paper, bench.id)
            found = check_paper(session, bench.here.blobs, bench.here.keys, paper)
            problems = list(record_check(session, bench.here.blobs, bench.here.keys))
            session.rollback()
        assert overall(found) is Verdict.FALSE, str(change)
        assert problems, str(change)
        assert all(line.startswith("! ") for line in problems), str(change)
    assert bench.problems() == []


def test_any_change_of_a_file_is_found(bench: Bench) -> None:
    with bench.transactions() as session:
        pdf = session.get_one(Paper, bench.id).pdf_sha256
    for name in (*bench.names, pdf):
        for change in (update(Blob).values(data=b"something else"), delete(Blob)):
            with bench.transactions() as session:
                session.execute(change.where(Blob.sha256 == name))
                problems = list(record_check(session, bench.here.blobs, bench.here.keys))
                session.rollback()
            assert len(problems) == 1, name
            assert problems[0].startswith("! "), problems


def test_another_pdf_put_in_its_place_is_found(bench: Bench, clock: FixedClock) -> None:
    with bench.transactions() as session:
        name = bench.here.blobs.put(session, b"%PDF-1.7 forged", "application/pdf", clock.now())
    bench.do(update(Paper).values(pdf_sha256=name))
    assert bench.verdict(b"%PDF-1.7 forged") is Verdict.FALSE


def test_a_paper_that_is_gone_is_missed(bench: Bench) -> None:
    bench.do(delete(PaperParty), delete(Paper))
    assert bench.problems() == [f"! 审计记录中有 paper:{bench.id}，单据却不在了"]


def test_events_that_are_altered_or_gone_are_found(bench: Bench) -> None:
    bench.do(text("UPDATE audit_event SET actor = 'x' WHERE action = 'paper.issue'"))
    assert bench.verdict() is Verdict.FALSE
    bench.do(text("DELETE FROM audit_event WHERE action = 'paper.issue'"))
    assert bench.verdict() is Verdict.FALSE


def test_erased_details_leave_it_open(bench: Bench, clock: FixedClock) -> None:
    with bench.transactions() as session:
        erase(session, f"paper:{bench.id}", actor="admin", reason="员工要求", now=clock.now())
    assert bench.verdict() is Verdict.UNKNOWN
    assert all(line.startswith("? ") for line in bench.problems())


def test_without_the_key_nobody_can_tell(bench: Bench, tmp_path: Path) -> None:
    with bench.transactions() as session:
        paper = session.get_one(Paper, bench.id)
        without = KeyStore(tmp_path / "none", may_create=False)
        assert overall(check_paper(session, bench.here.blobs, without, paper)) is Verdict.UNKNOWN


def test_a_file_that_cannot_be_read_now_leaves_it_open(bench: Bench) -> None:
    bench.do(update(Blob).where(Blob.sha256 == bench.names[0]).values(data=None))
    assert bench.verdict() is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        ([], Verdict.GENUINE),
        (["? 不知道"], Verdict.UNKNOWN),
        (["? 不知道", "! 张三的清点已被改动"], Verdict.FALSE),
    ],
)
def test_the_records_that_a_paper_tells_of_are_looked_at_too(
    bench: Bench, lines: list[str], verdict: Verdict
) -> None:
    subject = uuid.uuid4()
    asked: list[uuid.UUID] = []

    def check(_: object, __: object, subject_id: uuid.UUID) -> Iterator[str]:
        asked.append(subject_id)
        yield from lines

    with bench.transactions() as session:
        paper = session.get_one(Paper, bench.id)
        paper.subject = f"handover_leg:{subject}"
        found = check_beside(session, bench.here.blobs, paper, {"handover_leg": check})
        assert (asked, [f.verdict for f in found]) == ([subject], [verdict])
        assert "张三" not in found[0].detail, "who checks learns no names"
        assert check_beside(session, bench.here.blobs, paper, {}) == []
