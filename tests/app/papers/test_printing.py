"""The PDF: everything of the document is on it, nothing is cut off, and it is made once."""

from __future__ import annotations

import shutil
import subprocess
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.audit import AuditRow
from app.kernel.blobs import Blob
from app.kernel.db import db
from app.kernel.errors import Unavailable
from app.kernel.jobs import Transactions
from app.papers import Column, Document, Fields, Table, Text
from app.papers.glyphs import can_print, runs_of
from app.papers.model import Paper
from app.papers.printing import Press, form_of, pdf_of
from app.papers.rendering import render

Issued = Callable[..., uuid.UUID]


def printed(app: Flask, press: Press, paper_id: uuid.UUID) -> bytes:
    with app.app_context(), Session(db.engine) as session:
        return pdf_of(session, press, session.get_one(Paper, paper_id))


def words_of(pdf: bytes, tmp_path: Path) -> str:
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext is not on this machine")
    (tmp_path / "one.pdf").write_bytes(pdf)
    done = subprocess.run(
        ["pdftotext", "-raw", str(tmp_path / "one.pdf"), "-"], capture_output=True, check=True, text=True
    )
    return done.stdout


def test_it_tells_all_that_was_signed(
    app: Flask, press: Press, issued: Issued, tmp_path: Path, transactions: Transactions
) -> None:
    paper_id = issued()
    shown = words_of(printed(app, press, paper_id), tmp_path)
    with transactions() as session:
        paper = session.get_one(Paper, paper_id)
        event = session.scalars(select(AuditRow).where(AuditRow.action == "paper.issue")).one()
        prints = session.scalars(select(AuditRow).where(AuditRow.action == "paper.print")).all()
        assert paper.pdf_sha256 is not None
        assert [paper.pdf_sha256 in str(row.details) for row in prints] == [True]
        wanted = [paper.number, paper.code, paper.sha256, f"第 {event.seq} 个事件"]
    for text in [
        *wanted,
        "示例物业",
        "锦绣花园",
        "充电器",
        "缺少",
        "正面",
        "移交人",
        "张三",
        "检查点",
        "第 1 页",
    ]:
        assert text.replace(" ", "") in shown.replace(" ", "").replace("\n", ""), text


def test_the_qr_leads_to_the_check_page(app: Flask, press: Press, issued: Issued, tmp_path: Path) -> None:
    settings = replace(press.settings, public_url="https://phones.example.cn")
    pdf = printed(app, replace(press, settings=settings), issued())
    (tmp_path / "one.pdf").write_bytes(pdf)
    if not (shutil.which("pdftoppm") and shutil.which("zbarimg")):
        pytest.skip("pdftoppm or zbarimg is not on this machine")
    subprocess.run(["pdftoppm", "-r", "150", "-png", "one.pdf", "page"], cwd=tmp_path, check=True)
    page = next(tmp_path.glob("page*.png"))
    read = subprocess.run(
        ["zbarimg", "-q", "--raw", str(page)], capture_output=True, check=True, text=True
    ).stdout
    with app.app_context(), Session(db.engine) as session:
        code = session.scalars(select(Paper.code)).one()
    assert read.strip() == f"https://phones.example.cn/p/{code}"


def test_sixty_items_long_words_and_rare_characters(
    app: Flask, press: Press, issued: Issued, tmp_path: Path
) -> None:
    serial = "R5CT30ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" * 4
    name = "欧阳阿卜杜热西提·买买提依明·䶮𬭚𠮷"
    document = Document(
        "移交物品单",
        "",
        (
            Fields("", (("姓名", name), ("序列号", serial), ("空", ""))),
            Table(
                "物品清单",
                (Column("序", 1), Column("物品", 4), Column("标识", 4)),
                tuple((f"第{i}件", "手机" * (i % 9), f"86234567890{i:04d}") for i in range(60)),
            ),
            Table("很高的一行", (Column("窄", 1), Column("宽", 9)), (("甲" * 1200, "乙"),)),
            Table("空表", (Column("列", 1),), ()),
            Text("", "一段\n\n二段 #strong[不是标记] $x$ \\ *星号* `码`"),
        ),
    )
    shown = words_of(printed(app, press, issued(document=document)), tmp_path)
    flat = shown.replace("\n", "").replace(" ", "")
    assert serial in flat
    assert flat.count("甲") == 1200, "a row that is longer than a page goes on over the next"
    assert "䶮𬭚" in flat
    assert "U+20BB7" in flat, "what no font has is told by its number"
    assert "字库以外" in flat
    assert "#strong[不是标记]$x$\\*星号*`码`" in flat
    for i in range(60):
        assert f"86234567890{i:04d}" in flat
    # The head of the table stands on every page that it reaches.
    assert 2 <= shown.count("序 物品 标识") <= 4


def test_characters_are_told_apart() -> None:
    assert runs_of("张𠮷\u202e三") == ["张", {"code": "U+20BB7"}, {"code": "U+202E"}, "三"]
    assert runs_of("") == []
    assert runs_of("a\tb\x00") == ["a", {"code": "U+0009"}, "b", {"code": "U+0000"}]
    assert all(can_print(c) for c in "䶮𬭚张Aé①，。“”—…¥×℃ ")
    gb2312 = bytes(range(0xA1, 0xFF))
    hanzi = [bytes([high, low]).decode("gb2312", "ignore") for high in range(0xB0, 0xF8) for low in gb2312]
    assert all(can_print(c) for c in hanzi if c)


def test_two_who_print_at_once_get_the_same_file(
    app: Flask, press: Press, issued: Issued, transactions: Transactions
) -> None:
    paper_id = issued()
    made: list[bytes] = []
    start = threading.Barrier(3)

    def run() -> None:
        start.wait()
        made.append(printed(app, press, paper_id))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 3
    assert len(set(made)) == 1
    assert printed(app, press, paper_id) == made[0]
    with transactions() as session:
        assert session.scalar(select(func.count()).where(AuditRow.action == "paper.print")) == 1
        assert session.scalar(select(func.count()).where(Blob.media_type == "application/pdf")) == 1


def test_the_same_paper_gives_the_same_bytes(app: Flask, press: Press, issued: Issued) -> None:
    paper_id = issued()
    with app.app_context(), Session(db.engine) as session:
        form = form_of(session, press, session.get_one(Paper, paper_id))
    first = render(form)
    assert render(form) == first
    assert first.startswith(b"%PDF-")


def test_what_was_altered_is_not_printed(
    app: Flask, press: Press, issued: Issued, transactions: Transactions
) -> None:
    paper_id = issued()
    with transactions() as session:
        session.execute(update(Blob).where(Blob.media_type == "image/png").values(data=b"x"))
    with pytest.raises(Unavailable):
        printed(app, press, paper_id)
    with transactions() as session:
        session.execute(update(Paper).values(document="{}"))
    with pytest.raises(Unavailable):
        printed(app, press, paper_id)


def test_a_correction_says_what_it_corrects(app: Flask, press: Press, issued: Issued, tmp_path: Path) -> None:
    first = issued()
    shown = words_of(printed(app, press, issued(corrects=first)), tmp_path).replace(" ", "")
    with app.app_context(), Session(db.engine) as session:
        assert f"更正单：代替{session.get_one(Paper, first).number}" in shown
