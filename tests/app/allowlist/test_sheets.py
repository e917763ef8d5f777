"""The lists of apps in Excel: down, up again, and what an ugly sheet is told."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.allowlist.model import AllowlistDraft
from app.allowlist.sheets import export_rows
from app.kernel.db import db
from app.registry import read_upload, write_xlsx
from tests.app.allowlist.support import draft_of, save
from tests.app.conftest import ON_SQLITE, Caller, Org

HEADER = ["类别", "名称", "包名", "最低版本号", "签名", "品牌", "型号"]


class _Titled:
    label = "应用名单"


def sheet(tmp_path: Path, *rows: list[str]) -> bytes:
    path = tmp_path / "apps.xlsx"
    write_xlsx(iter([HEADER, *rows]), path, _Titled())
    return path.read_bytes()


def upload(caller: Caller, data: bytes, name: str = "apps.xlsx", **fields: str) -> Any:
    return caller.post("/allowlist/sheet", data={"file": (BytesIO(data), name), **fields})


def cells(data: bytes) -> list[list[Any]]:
    return [row for _, row in read_upload("x.xlsx", data)[1].rows]


def test_a_sheet_becomes_a_draft_and_comes_back_the_same(
    app: Flask, org: Org, client: Caller, tmp_path: Path
) -> None:
    data = sheet(
        tmp_path,
        ["必装", "水印相机", "com.work.camera", "2580", "b378e95c", "", ""],
        ["可以装", "阅读器", "com.example.reader", "", "", "", ""],
        ["禁止", "某游戏", "com.example.game", "", "", "", ""],
        ["出厂预装", "记事本", "com.miui.notes", "", "", "Xiaomi", ""],
        ["移出名单", "", "com.smile.gifmaker", "", "", "", ""],
        ["移出名单", "易企秀", "", "", "", "", ""],
    )
    draft = draft_of(upload(client, data, centre=str(org.centre)))
    page = client.get(draft).text
    for told in (
        "水印相机",
        "com.example.reader",
        "某游戏（com.example.game）",
        "xiaomi 各型号的出厂预装应用",
        "快手",
    ):
        assert told in page
    assert save(client, draft).status_code == 303
    down = client.get(f"/allowlist/apps.xlsx?centre={org.centre}")
    found = {(row[0], row[2]): row for row in cells(down.data)[1:]}
    assert found["必装", "com.work.camera"][:5] == ["必装", "水印相机", "com.work.camera", "2580", "b378e95c"]
    assert found["出厂预装", "com.miui.notes"][5] == "xiaomi"
    assert found["可以装", "com.example.reader"][7].startswith("本中心规定 v1")
    assert ("禁止", "com.smile.gifmaker") not in found
    # Up again as it came: nothing would change, and that is said.
    again = upload(client, down.data, centre=str(org.centre))
    assert again.headers["Location"] == f"/allowlist/sheet?centre={org.centre}"


WRONG: list[tuple[list[str], str]] = [
    (["必装", "", "", "", "", "", ""], "请填写应用名称"),
    (["必装", "甲", "com.a.a", "1.5", "", "", ""], "版本号"),
    (["随便", "甲", "com.a.a", "", "", "", ""], "类别"),
    (["可以装", "甲", "", "", "", "", ""], "请填写包名"),
    (["出厂预装", "甲", "com.a.a", "", "", "", ""], "品牌"),
    (["移出名单", "", "com.not.there", "", "", "", ""], "不用移出"),
    (["禁止", "甲", "com.a.a", "", "", "xiaomi", ""], "出厂预装"),
]


@ON_SQLITE
def test_a_wrong_row_is_told_by_row_and_column_and_nothing_is_kept(
    app: Flask, org: Org, client: Caller, tmp_path: Path
) -> None:
    for row, told in WRONG:
        answer = upload(client, sheet(tmp_path, ["可以装", "好", "com.good.one", "", "", "", ""], row))
        assert answer.status_code == 422, row
        assert told in answer.text, row
        assert ">3<" in answer.text
    with app.app_context():
        assert db.session().scalar(select(func.count()).select_from(AllowlistDraft)) == 0


@pytest.mark.parametrize(
    ("data", "name"),
    [(b"", "a.xlsx"), (b"PK\x03\x04rubbish", "a.xlsx"), (b"\xff\xfe\x00", "a.csv"), ("甲,乙\n1,2\n".encode(), "a.csv"),
     ("类别,包名\n=1+1,com.a.a\n".encode(), "a.csv")],
)  # fmt: skip
@ON_SQLITE
def test_an_ugly_file_is_refused(app: Flask, org: Org, client: Caller, data: bytes, name: str) -> None:
    assert upload(client, data, name).status_code in (303, 422)
    with app.app_context():
        assert db.session().scalar(select(func.count()).select_from(AllowlistDraft)) == 0


@ON_SQLITE
def test_a_package_that_is_none_is_told_with_its_row_and_column(
    app: Flask, org: Org, client: Caller, tmp_path: Path
) -> None:
    answer = upload(client, sheet(tmp_path, ["可以装", "甲", "不是包名", "", "", "", ""]))
    assert answer.status_code == 422
    assert "包名“不是包名”不对" in answer.text
    assert ">2<" in answer.text


HEADINGS = [
    ("名称,包名\n甲,com.a.a\n", "缺少“类别”列"),
    ("类别,包名,包名\n可以装,com.a.a,com.b.b\n", "列“包名”重复"),
    ("类别,名字,包名\n可以装,甲,com.a.a\n", "未知的列“B 名字”"),
    ("说明\n请填写\n", "的前 10 行里没有表头"),
]


@pytest.mark.parametrize(("text", "told"), HEADINGS)
@ON_SQLITE
def test_a_wrong_heading_is_named_and_the_form_stays_that_of_the_centre(
    app: Flask, org: Org, client: Caller, text: str, told: str
) -> None:
    answer = upload(client, text.encode(), "a.csv", centre=str(org.centre))
    assert answer.headers["Location"] == f"/allowlist/sheet?centre={org.centre}"
    page = client.get(answer.headers["Location"]).text
    assert told in page
    assert "unknown column" not in page


TWICE = [
    (["可以装", "甲", "com.a.a", "", "", "", ""], ["禁止", "甲", "com.a.a", "", "", "", ""], True),
    (
        ["必装", "甲", "com.a.a", "", "", "", ""],
        ["工作应用（可以不装）", "乙", "com.a.a", "", "", "", ""],
        True,
    ),
    (["必装", "甲", "com.a.a", "", "", "", ""], ["必装", "甲", "com.a.b", "", "", "", ""], True),
    (["必装", "甲", "com.a.a", "", "", "", ""], ["移出名单", "", "com.a.a", "", "", "", ""], True),
    (
        ["出厂预装", "甲", "com.a.a", "", "", "oppo", ""],
        ["出厂预装", "甲", "com.a.a", "", "", "OPPO", ""],
        True,
    ),
    (
        ["出厂预装", "甲", "com.a.a", "", "", "oppo", "A"],
        ["出厂预装", "甲", "com.a.a", "", "", "oppo", "B"],
        False,
    ),
    # Both may hold, and are exported so: what is forbidden is forbidden, whatever else lists it.
    (["必装", "甲", "com.a.a", "", "", "", ""], ["禁止", "甲", "com.a.a", "", "", "", ""], False),
]


@pytest.mark.parametrize(("one", "other", "refused"), TWICE)
@ON_SQLITE
def test_two_rows_that_tell_of_one_app_are_refused(
    app: Flask, org: Org, client: Caller, tmp_path: Path, one: list[str], other: list[str], refused: bool
) -> None:
    answer = upload(client, sheet(tmp_path, one, other))
    assert answer.status_code == (422 if refused else 303)
    assert ("和第 2 行是同一个应用" in answer.text) is refused


def test_an_app_that_one_layer_allows_and_another_forbids_is_exported_as_forbidden() -> None:
    """Else its own export would be refused on its way back."""
    body = {
        "apps": {},
        "allowed": {"com.a.a": "甲", "com.a.b": "乙"},
        "forbidden": {"com.a.a": "甲"},
        "presets": {},
    }
    _, *rows = export_rows(body, {})
    assert [row[:3] for row in rows] == [["可以装", "乙", "com.a.b"], ["禁止", "甲", "com.a.a"]]


@ON_SQLITE
def test_too_many_rows_are_one_fault_and_the_choices_of_a_cell_are_told(
    app: Flask, org: Org, client: Caller, tmp_path: Path
) -> None:
    rows = [["可以装", f"甲{n}", f"com.a.n{n}", "", "", "", ""] for n in range(3500)]
    answer = upload(client, sheet(tmp_path, *rows))
    assert answer.status_code == 422
    assert answer.text.count("一次最多 2000 行，请分成几个文件") == 1
    assert "有 1 处错误" in answer.text
    answer = upload(client, sheet(tmp_path, ["随便", "甲", "com.a.a", "", "", "", ""]))
    assert "请填写其中之一：必装、工作应用（可以不装）、可以装、禁止、出厂预装、移出名单" in answer.text


@ON_SQLITE
def test_a_damaged_file_is_told_in_chinese_only(app: Flask, org: Org, client: Caller) -> None:
    page = client.get(upload(client, b"hello" * 90).headers["Location"]).text
    assert "不是 Excel 工作簿" in page
    assert "damaged" not in page
