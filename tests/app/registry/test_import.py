"""Imports over the API: dry run, every bad row, all or nothing."""

from __future__ import annotations

import csv
import datetime as dt
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest

from tests.app.registry.test_api import IMEI_1, IMEI_2, create, handset

HEAD = ["服务中心编码*", "资产编号*", "序列号*", "IMEI1", "品牌", "型号", "购买日期", "价格（元）"]
ROW = ["C1", "GJ-0001", "R58M123ABC", IMEI_1, "Xiaomi", "Redmi", "2026-05-03", "1299.00"]
ROW_2 = ["C1", "GJ-0002", "R58M999XYZ", IMEI_2, "Xiaomi", "Redmi", dt.date(2026, 5, 3), 1299.5]


def outcome(answer: Any) -> dict[str, Any]:
    assert answer.status_code in (200, 201), answer.json
    return dict(answer.json["outcome"])


def counts(answer: Any) -> tuple[int, ...]:
    found = outcome(answer)
    return tuple(found[name] for name in ("rows", "created", "changed", "unchanged", "problem_count"))


def test_a_dry_run_writes_nothing_and_applying_writes_all(client: Any, org: Any, upload: Any) -> None:
    tried = upload("handsets", [HEAD, ROW, ROW_2])
    assert counts(tried) == (2, 2, 0, 0, 0), tried.json
    assert client.get("/api/v1/handsets").json["items"] == []
    done = client.post(f"{tried.headers['Location']}/apply")
    assert counts(done) == (2, 2, 0, 0, 0)
    items = client.get("/api/v1/handsets").json["items"]
    assert [(i["serial"], i["imei1"], i["price_fen"], i["purchased_on"]) for i in items] == [
        ("R58M123ABC", IMEI_1, 129900, "2026-05-03"),
        ("R58M999XYZ", IMEI_2, 129950, "2026-05-03"),
    ]
    again = client.post(f"{tried.headers['Location']}/apply")
    assert (again.status_code, again.json["code"]) == (409, "already_applied")
    assert client.get(tried.headers["Location"]).json["applied_at"] is not None


def test_every_bad_row_is_told_by_number_and_column(client: Any, org: Any, problems: Any) -> None:
    rows = [
        ["管家手机登记表"],
        [],
        HEAD,
        ROW,
        [],
        ["C1", "GJ-0002", "0123456789ABCDEF", IMEI_2, "", "Redmi", "3.5.2026", "12,99"],
        ["C9", "GJ-0003", 86012345, 490154203237518, "Xiaomi", "Redmi", 45000, "1.999"],
        ["C1", "GJ-0001", "R58M000003", "490154203237519", "Xiaomi", "Redmi", None, None],
        ["C1", "GJ-0004", "R58M123ABC", None, "Xiaomi", "Redmi", None, -1],
        ["C1", "GJ-0005", "R58M000005", None, None, "Redmi", None, None],
    ]
    assert set(problems("handsets", rows)) == {
        (6, "C 序列号", "invalid"),
        (6, "G 购买日期", "invalid"),
        (6, "H 价格（元）", "invalid"),
        (7, "A 服务中心编码", "not_found"),
        (7, "C 序列号", "invalid"),
        (7, "D IMEI1", "invalid"),
        (7, "G 购买日期", "invalid"),
        (7, "H 价格（元）", "invalid"),
        (8, "B 资产编号", "duplicate"),
        (8, "D IMEI1", "invalid"),
        (9, "C 序列号", "duplicate"),
        (9, "H 价格（元）", "invalid"),
        (10, "E 品牌", "required"),
    }


@pytest.mark.parametrize(
    ("resource", "head", "row", "column"),
    [
        ("handsets", HEAD, ["C1", "GJ-1", "S00001", 490154203237518, "a", "b"], "D IMEI1"),
        ("handsets", HEAD, ["C1", "GJ-1", 1234567890123, None, "a", "b"], "C 序列号"),
        ("numbers", ["服务中心编码", "手机号", "ICCID"], ["C1", 13800138000, None], "B 手机号"),
        (
            "numbers",
            ["服务中心编码", "手机号", "ICCID"],
            ["C1", "13800138000", 8.98600123456789e18],
            "C ICCID",
        ),
    ],
)
def test_numeric_cells_of_long_numbers_are_refused(
    org: Any, upload: Any, resource: str, head: list[str], row: list[Any], column: str
) -> None:
    (problem,) = outcome(upload(resource, [head, row]))["problems"]
    assert (problem["row"], problem["column"]) == (2, column)
    assert "请将该列设为文本格式" in problem["message"]
    assert "format the column as text" in problem["message"]


def test_scientific_notation_in_csv_is_refused(org: Any, upload: Any) -> None:
    text = "服务中心编码,手机号,ICCID\r\nC1,1.38001E+10,8.986E+19\r\n"
    told = outcome(upload("numbers", text.encode("utf-8-sig"), "n.csv"))["problems"]
    assert [p["column"] for p in told] == ["B 手机号", "C ICCID"]
    assert all("请将该列设为文本格式" in p["message"] for p in told)


def test_a_file_with_errors_is_not_applied(client: Any, org: Any, upload: Any) -> None:
    tried = upload("handsets", [HEAD, ROW, ["C1"]])
    assert outcome(tried)["problem_count"] > 0
    refused = client.post(f"{tried.headers['Location']}/apply")
    assert (refused.status_code, refused.json["code"]) == (409, "has_errors")
    assert client.get("/api/v1/handsets").json["items"] == []


def test_what_changed_since_the_dry_run_stops_all_of_it(client: Any, org: Any, upload: Any) -> None:
    tried = upload("handsets", [HEAD, ROW, ROW_2])
    create(client, "handsets", **handset(org, serial="OTHER001", imei1=None, imei2=IMEI_2))
    refused = client.post(f"{tried.headers['Location']}/apply")
    assert (refused.status_code, refused.json["code"]) == (422, "import_refused")
    assert {(e["field"], e["code"]) for e in refused.json["errors"]} == {
        ("row 2 B 资产编号", "taken"),
        ("row 3 D IMEI1", "taken"),
    }
    assert len(client.get("/api/v1/handsets").json["items"]) == 1


def test_an_import_changes_what_differs_and_an_empty_cell_clears_nothing(
    client: Any, org: Any, upload: Any
) -> None:
    made = create(client, "handsets", **handset(org, note="旧", price_fen=100))
    row = ["C1", "GJ-0001", "R58M123ABC", "", "OPPO", "Redmi Note 9", "", "1"]
    tried = upload("handsets", [HEAD, row])
    assert counts(tried) == (1, 0, 1, 0, 0), tried.json
    assert outcome(tried)["changes"] == [{"row": 2, "column": "E 品牌", "before": "Xiaomi", "after": "OPPO"}]
    assert client.post(f"{tried.headers['Location']}/apply").status_code == 200
    now = client.get(f"/api/v1/handsets/{made['id']}").json
    assert now == {**made, "brand": "OPPO", "version": 2, "updated_at": now["updated_at"]}


@pytest.mark.parametrize("file_format", ["xlsx", "csv"])
def test_an_export_read_back_changes_nothing(client: Any, org: Any, upload: Any, file_format: str) -> None:
    phone = create(
        client,
        "handsets",
        **handset(
            org, note="=1+1\n第二行", specification={"内存": "8GB", "色": "黑"}, way_back="tap", price_fen=5
        ),
    )
    create(client, "numbers", centre_id=str(org.centre), e164="13800138000", real_name="@示例物业")
    account = create(client, "wechat-accounts", centre_id=str(org.centre), nickname="-小新")
    create(client, "households", centre_id=str(org.centre), grid_id=str(org.grid), room="1-101")
    for subject in ({"handset_id": phone["id"]}, {"wechat_account_id": account["id"]}):
        create(
            client,
            "kit-assignments",
            post_id=str(org.post),
            valid_from="2026-05-01T00:00:00.000001Z",
            **subject,
        )
    create(
        client,
        "post-holdings",
        post_id=str(org.post),
        employee_id=str(org.zhang),
        valid_from="2026-05-01T08:00:00+08:00",
        valid_to="2026-06-01T08:00:00+08:00",
    )
    from app.registry.catalogue import RESOURCES

    for name in RESOURCES:
        exported = client.get(f"/api/v1/{name}/export?format={file_format}")
        assert exported.status_code == 200, exported.json
        rows = len(client.get(f"/api/v1/{name}").json["items"])
        if rows:
            back = upload(name, exported.data, f"x.{file_format}")
            assert counts(back) == (rows, 0, 0, rows, 0), (name, back.json)


def test_exports_never_run_formulas(client: Any, org: Any) -> None:
    nasty = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", '=HYPERLINK("http://x")', "'=1", "＝1"]
    for i, text in enumerate(nasty):
        create(client, "employees", centre_id=str(org.centre), number=f"N{i}", name=text)
    sheet = client.get("/api/v1/employees/export?format=csv&q=N").data.decode("utf-8-sig")
    names = {row[1]: row[2] for row in csv.reader(StringIO(sheet))}
    assert [names[f"N{i}"] for i in range(len(nasty))] == ["'" + text for text in nasty]
    book = openpyxl.load_workbook(BytesIO(client.get("/api/v1/employees/export").data))
    cells = [cell for row in book.active.iter_rows() for cell in row if cell.value]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {c.number_format for c in cells} == {"@"}
    assert set(nasty) <= {cell.value for cell in cells}
    assert not [cell for cell in cells if cell.hyperlink]


def test_gb18030_and_utf8_csv_are_read(client: Any, org: Any, upload: Any) -> None:
    text = "服务中心编码,工号,姓名\r\nC1,E100,王小䶮\r\n"
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
        answer = upload("employees", text.encode(encoding), "员工.csv")
        assert counts(answer) == (1, 1, 0, 0, 0), (encoding, answer.json)
    client.post(f"{answer.headers['Location']}/apply")
    assert client.get("/api/v1/employees?number=E100").json["items"][0]["name"] == "王小䶮"


def test_kits_and_holdings_are_imported_by_codes(client: Any, org: Any, upload: Any, problems: Any) -> None:
    create(client, "handsets", **handset(org))
    head = ["服务中心编码", "岗位编码", "手机序列号", "手机号", "微信昵称", "开始时间", "结束时间"]
    first = ["C1", "P1", "R58M123ABC", None, None, "2026-05-01", "2026-06-01"]
    tried = upload("kit-assignments", [head, first])
    assert counts(tried) == (1, 1, 0, 0, 0), tried.json
    assert client.post(f"{tried.headers['Location']}/apply").status_code == 200
    overlapping = ["C1", "P1", "R58M123ABC", None, None, dt.datetime(2026, 5, 20, 8), None]  # noqa: DTZ001  # Excel knows no zones
    after = ["C1", "P1", "R58M123ABC", None, None, "2026-06-01 00:00", None]
    again = ["C1", "P1", "R58M123ABC", None, None, "2026-07-01", None]
    assert problems("kit-assignments", [head, first, overlapping, after, again]) == [
        (3, "C 手机序列号", "overlap"),
        (5, "C 手机序列号", "overlap"),
    ]
    assert problems(
        "kit-assignments", [head, ["C1", "P1", None, "13800138000", None, "2026-07-01", None]]
    ) == [(2, "D 手机号", "not_found")]
    holding = [["服务中心编码", "岗位编码", "员工工号", "开始时间"], ["C1", "P1", "E001", "2026/5/1 9:30"]]
    assert counts(upload("post-holdings", holding)) == (1, 1, 0, 0, 0)


def test_an_open_tie_is_ended_by_import(client: Any, org: Any, upload: Any) -> None:
    head = ["服务中心编码", "岗位编码", "员工工号", "开始时间", "结束时间"]
    for end, expected in ((None, (1, 1, 0, 0, 0)), ("2026-06-01", (1, 0, 1, 0, 0)), (None, (1, 0, 0, 1, 0))):
        tried = upload("post-holdings", [head, ["C1", "P1", "E001", "2026-05-01", end]])
        assert counts(tried) == expected, tried.json
        client.post(f"{tried.headers['Location']}/apply")
    (row,) = client.get("/api/v1/post-holdings").json["items"]
    assert row["valid_to"] == "2026-05-31T16:00:00.000000Z"
    tried = upload("post-holdings", [head, ["C1", "P1", "E001", "2026-05-01", "2026-07-01"]])
    assert [p["code"] for p in outcome(tried)["problems"]] == ["already_ended"]


def test_templates_are_text_and_may_be_uploaded(client: Any, org: Any, problems: Any) -> None:
    from app.registry.catalogue import RESOURCES

    for name in RESOURCES:
        data = client.get(f"/api/v1/{name}/template").data
        book = openpyxl.load_workbook(BytesIO(data))
        assert book.worksheets[0].column_dimensions["A"].number_format == "@"
        assert [code for _, _, code in problems(name, data)] == ["no_rows"]
        flat = client.get(f"/api/v1/{name}/template?format=csv").data
        assert [code for _, _, code in problems(name, flat, "t.csv")] == ["no_rows"]


def test_an_upload_is_seen_by_nobody_else_and_forgotten_after_a_day(
    client: Any, org: Any, upload: Any, app: Any, clock: Any
) -> None:
    from app.kernel.db import begin_write, db
    from app.kernel.errors import NotFound
    from app.kernel.tenancy import Principal
    from app.registry.import_service import find_import, forget_uploads

    tried = upload("handsets", [HEAD, ROW])
    other = Principal("somebody", frozenset({"admin"}), None)
    with app.app_context():
        import uuid

        session = begin_write(db.session())
        with pytest.raises(NotFound):
            find_import(session, other, uuid.UUID(tried.json["id"]))
        assert forget_uploads(session, clock.now() + dt.timedelta(hours=23)) == 0
        assert forget_uploads(session, clock.now() + dt.timedelta(hours=25)) == 1
        session.commit()
        db.session.remove()
    late = client.post(f"{tried.headers['Location']}/apply")
    assert (late.status_code, late.json["code"]) == (409, "expired")
