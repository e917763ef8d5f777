"""Files that offices and attackers send: each is answered with a clear refusal, none with a crash."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernel.errors import Invalid, TooLarge
from app.registry.cells import value_of
from app.registry.neutral import neutral, plain
from app.registry.sheet_read import read_sheet
from tests.app.registry.conftest import workbook

HEAD = ["服务中心编码", "工号", "姓名"]


def rebuilt(data: bytes, name: str, content: bytes) -> bytes:
    """The workbook with one part replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, content if info.filename == name else old.read(info))
        if name not in old.namelist():
            new.writestr(name, content)
    return out.getvalue()


def sheet_xml(rows: bytes) -> bytes:
    space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return b'<?xml version="1.0"?><worksheet xmlns="%s"><sheetData>%s</sheetData></worksheet>' % (space, rows)


def refused(data: bytes, name: str = "a.xlsx") -> str:
    with pytest.raises((Invalid, TooLarge)) as caught:
        list(read_sheet(name, data).rows)
    return caught.value.code


GOOD = workbook([HEAD, ["C1", "E9", "赵六"]])
SHEET = "xl/worksheets/sheet1.xml"


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = rebuilt(GOOD, SHEET, sheet_xml(b" " * (200 * 2**20)))
    assert len(bomb) < 2**20
    assert refused(bomb) == "too_large"


def test_a_bomb_that_lies_about_its_size_is_refused() -> None:
    bomb = bytearray(rebuilt(GOOD, "xl/bomb.xml", b"<a>" + b" " * (140 * 2**20) + b"</a>"))
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        start = -1
        while (start := bomb.find(mark, start + 1)) >= 0:
            name_at = start + (46 if mark == b"PK\x01\x02" else 30)
            if bomb[name_at : name_at + 11] == b"xl/bomb.xml":
                struct.pack_into("<I", bomb, start + place, 100)
    assert refused(bytes(bomb)) == "bad_file"


@pytest.mark.parametrize(
    "rows",
    [
        b'<row r="1"><c r="XFD1"><v>1</v></c></row>',
        b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>',
        b'<row r="1"><c r = "zzz1"><v>1</v></c></row>',
        b'<row r="1"/>' * 51_002,
    ],
)
def test_a_cell_in_the_far_corner_is_refused(rows: bytes) -> None:
    assert refused(rebuilt(GOOD, SHEET, sheet_xml(rows))) == "too_large"


def test_a_sheet_under_another_name_is_looked_at_too() -> None:
    relations = "xl/_rels/workbook.xml.rels"
    with zipfile.ZipFile(io.BytesIO(GOOD)) as book:
        moved = book.read(relations).replace(b"worksheets/sheet1.xml", b"other.xml")
    data = rebuilt(GOOD, relations, moved)
    data = rebuilt(data, "xl/other.xml", sheet_xml(b'<row r="1"><c r="XFD1"><v>1</v></c></row>'))
    assert refused(data) == "too_large"


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "a.xlsx", "empty"),
        (b"\0\0\0", "a.csv", "empty"),
        (b"PK\x03\x04 rubbish", "a.xlsx", "bad_file"),
        (GOOD[: len(GOOD) // 2], "a.xlsx", "bad_file"),
        (b"%PDF-1.7", "a.pdf", "bad_file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.xls", "old_excel"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "a.xlsx",
            "encrypted",
        ),
        (b'a,b\r\n"unfinished,1', "a.csv", "bad_file"),
        (b"\xff\xff\xff,a", "a.csv", "bad_file"),
        (b"a\0b,c", "a.csv", "bad_file"),
        (b"a," * 100, "a.csv", "too_large"),
        (b"a\n" * 52_000, "a.csv", "too_large"),
        (b"a" * 50_000, "a.csv", "too_large"),
    ],
)
def test_what_is_no_usable_table_is_refused(data: bytes, name: str, code: str) -> None:
    assert refused(data, name) == code


def test_a_zip_that_is_no_workbook_and_encrypted_parts_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        book.writestr("hello.txt", "hello")
    assert refused(out.getvalue()) == "bad_file"
    flagged = bytearray(GOOD)
    start = flagged.find(b"PK\x01\x02")
    flagged[start + 8] |= 1
    assert refused(bytes(flagged)) == "encrypted"


def test_columns_unknown_missing_and_twice_are_named(client: Any, org: Any, upload: Any) -> None:
    answer = upload("employees", [["服务中心编码", "姓名", "姓名", "性别"], ["C1", "a", "b", "c"]])
    assert (answer.status_code, answer.json["code"]) == (422, "bad_header")
    assert {(e["field"], e["code"]) for e in answer.json["errors"]} == {
        ("姓名", "duplicate_column"),
        ("D 性别", "unknown_column"),
        ("工号", "missing_column"),
    }
    assert upload("employees", [["x"], ["y"]]).json["code"] == "no_header"
    assert upload("nonsense", [["x"]]).status_code == 422


def test_merged_cells_formulas_and_stray_cells_are_told(client: Any, org: Any, problems: Any) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["员工登记表"])
    sheet.merge_cells("A1:C1")
    sheet.append(HEAD)
    sheet.append(["C1", "=1+1", "张三"])
    sheet.append(["C1", "E8", "李四", "多余"])
    sheet.append(["C1", "E9", "王五"])
    sheet.append(["", "E10", "赵六"])
    sheet.merge_cells("A5:A6")
    out = io.BytesIO()
    book.save(out)
    assert set(problems("employees", out.getvalue())) == {
        (3, "B 工号", "formula"),
        (4, "D", "no_heading"),
        (5, "A 服务中心编码", "merged"),
        (6, "A 服务中心编码", "required"),
    }


def test_a_hidden_first_sheet_is_passed_over(client: Any, org: Any, upload: Any) -> None:
    book = openpyxl.Workbook()
    book.active.sheet_state = "hidden"
    book.active.append(["=1+1"])
    shown = book.create_sheet("员工")
    for row in (HEAD, ["C1", "E8", "李四"]):
        shown.append(row)
    out = io.BytesIO()
    book.save(out)
    answer = upload("employees", out.getvalue())
    assert (answer.json["outcome"]["sheet"], answer.json["outcome"]["created"]) == ("员工", 1)


def test_columns_that_begin_later_keep_their_letters(client: Any, org: Any, problems: Any) -> None:
    rows = [[None, None, *HEAD], [None, None, "C1", 12, "李四"]]
    assert problems("employees", rows) == [(2, "D 工号", "invalid")]


def test_too_many_rows_are_refused(client: Any, org: Any, upload: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("app.registry.importing.MAX_ROWS", 2)
    rows = [HEAD, *([["C1", f"E{i}", "x"] for i in range(5)])]
    told = upload("employees", rows).json["outcome"]["problems"]
    assert [(p["row"], p["code"]) for p in told] == [(4, "too_many_rows")]


@given(st.text())
def test_a_neutral_cell_is_never_a_formula_and_reads_back(text: str) -> None:
    assert plain(neutral(text)) == text
    assert not neutral(text).startswith(("=", "+", "-", "@", "\t", "\r", "＝"))


@settings(max_examples=200)
@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.xlsx", "a", "名.TXT"]))
def test_no_bytes_crash_the_reader(data: bytes, name: str) -> None:
    try:
        rows = list(read_sheet(name, data).rows)
    except (Invalid, TooLarge):
        return
    assert all(isinstance(number, int) for number, _ in rows)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_workbook_with_one_byte_changed_is_read_or_refused(place: int, byte: int) -> None:
    data = bytearray(GOOD)
    data[place] = byte
    try:
        list(read_sheet("a.xlsx", bytes(data)).rows)
    except (Invalid, TooLarge):
        return


@settings(max_examples=300)
@given(
    st.one_of(
        st.none(), st.text(), st.integers(), st.floats(), st.booleans(), st.dates(), st.datetimes(), st.times(),
        st.timedeltas(),
    )
)  # fmt: skip
def test_every_cell_is_a_value_or_a_message(cell: Any) -> None:
    from app.registry.catalogue import RESOURCES

    for resource in RESOURCES.values():
        for described in resource.fields:
            try:
                value_of(described.kind, cell)
            except ValueError as exc:
                assert str(exc)  # noqa: PT017  # any message will do, for any cell
