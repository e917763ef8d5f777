"""Contracts out to Excel and back: dry run, all or nothing, every ugly cell told by row and column."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
import xlsxwriter

HEAD = [
    "手机号", "运营商", "套餐类型", "套餐名称", "月费（元）", "购机额度（元）", "起始日", "到期日", "实名主体", "备注",
]  # fmt: skip
GOOD = [
    "13800138000", "中国移动", "购手机送话费", "全家享", "129.00", "1299", "2025-01-01", "2026-12-31", "示例物业", "",
]  # fmt: skip


@pytest.fixture
def database_url(sqlite_url):
    """What is read and told does not depend on the database."""
    return sqlite_url


@pytest.fixture
def ops(as_user, kit):
    return as_user("operations", kit.org.centre)


def workbook(*rows, head=HEAD):
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("合约")
    for number, row in enumerate([head, *rows]):
        for column, cell in enumerate(row):
            if isinstance(cell, str) and cell.startswith("="):
                sheet.write_formula(number, column, cell, value=1)
            elif isinstance(cell, str):
                sheet.write_string(number, column, cell)
            elif cell is not None:
                sheet.write(number, column, cell)
    book.close()
    return out.getvalue()


def upload(caller, data, name="合约.xlsx"):
    form = {"file": (io.BytesIO(data), name)}
    answer = caller.post("/contracts/import", data=form, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def listed(caller):
    return caller.get("/api/v1/number-contracts?all_rows=true").json["items"]


def test_a_sheet_is_tried_then_taken_and_comes_back_the_same(ops, kit):
    second = [
        "13800138001",
        "中国联通",
        "plan_for_phone",
        "沃",
        "88.5",
        "",
        "2025/3/1",
        "2027年2月28日",
        "",
        "旧卡",
    ]
    outcome = upload(ops, workbook(GOOD, second))
    assert "试运行通过" in ops.get(outcome).text
    assert listed(ops) == []
    assert ops.post(f"{outcome}/apply").status_code == 303
    rows = {row["monthly_fen"]: row for row in listed(ops)}
    assert rows[12_900]["handset_budget_fen"] == 129_900
    assert (rows[8_850]["plan_type"], rows[8_850]["handset_budget_fen"]) == ("plan_for_phone", None)
    exported = ops.get("/contracts/export.xlsx").get_data()
    again = upload(ops, exported)
    text = ops.get(again).text
    assert "完全一致" in text
    assert ops.post(f"{again}/apply").status_code in (303, 409)
    assert len(listed(ops)) == 2


def test_every_ugly_cell_is_told_by_row_and_column(ops, kit):
    rows = [
        ["13800138999", *GOOD[1:]],
        [13800138000, *GOOD[1:]],
        [*GOOD[:4], "一百二", *GOOD[5:]],
        [*GOOD[:4], "-1", *GOOD[5:]],
        [*GOOD[:6], "2025-02-30", *GOOD[7:]],
        [*GOOD[:6], "01/02/25", *GOOD[7:]],
        [*GOOD[:2], "送手机", *GOOD[3:]],
        [*GOOD[:7], "2024-12-31", *GOOD[8:]],
        ["13800138009", *GOOD[1:]],
        [*GOOD[:3], "=1+1", *GOOD[4:]],
        ["13800138001", "", *GOOD[2:]],
    ]
    outcome = upload(ops, workbook(*rows))
    text = ops.get(outcome).text
    assert "试运行通过" not in text
    told = {int(row) for row in re.findall(r'data-label="行"><div>(\d+)</div>', text)}
    assert told == set(range(2, 13))
    assert ops.post(f"{outcome}/apply").status_code == 409
    assert listed(ops) == []


def test_rows_that_overlap_each_other_or_what_stands(ops, kit):
    later = [*GOOD[:6], "2026-06-01", "2028-06-01", *GOOD[8:]]
    assert "重叠" in ops.get(upload(ops, workbook(GOOD, later))).text
    assert "重复" in ops.get(upload(ops, workbook(GOOD, GOOD))).text
    first = upload(ops, workbook(GOOD))
    ops.post(f"{first}/apply")
    assert "重叠" in ops.get(upload(ops, workbook(later))).text


def test_an_empty_cell_changes_nothing_and_a_new_end_is_a_change(ops, kit):
    ops.post(f"{upload(ops, workbook(GOOD))}/apply")
    changed = [*GOOD[:4], "", "", GOOD[6], "2027-01-31", "", "续了一个月"]
    outcome = upload(ops, workbook(changed))
    text = ops.get(outcome).text
    assert "2026-12-31" in text
    assert "2027-01-31" in text
    ops.post(f"{outcome}/apply")
    (row,) = listed(ops)
    assert (row["ends_on"], row["monthly_fen"], row["registered_name"]) == ("2027-01-31", 12_900, "示例物业")


def test_a_file_is_its_owners_and_no_other_import(ops, as_user, kit):
    outcome = upload(ops, workbook(GOOD))
    lead = as_user("lead", kit.org.centre)
    assert lead.get(outcome).status_code == 404
    import_id = outcome.rpartition("/")[2]
    assert ops.get(f"/api/v1/imports/{import_id}").status_code == 404
    assert ops.post(f"/api/v1/imports/{import_id}/apply").status_code == 404
    assert ops.get(f"/registry/imports/{import_id}").status_code == 404


def test_what_is_no_sheet_is_refused(ops, kit):
    for data, name in ((b"", "a.xlsx"), (b"PK\x03\x04 torn", "a.xlsx"), (b"\xff\xd8\xff", "a.jpg")):
        assert upload(ops, data, name) == "/contracts/import"
    assert upload(ops, workbook(GOOD, head=[*HEAD[:9], "心情"])) == "/contracts/import"
    assert ops.post("/contracts/import").headers["Location"] == "/contracts/import"


def test_exported_cells_are_texts(ops, kit):
    evil = [*GOOD[:3], "'=HYPERLINK(1)", *GOOD[4:]]
    ops.post(f"{upload(ops, workbook(evil))}/apply")
    data = ops.get("/contracts/export.xlsx").get_data()
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        assert "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()
    template = ops.get("/contracts/template.xlsx")
    assert template.status_code == 200
