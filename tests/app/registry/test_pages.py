"""The registry's pages, as a browser without scripts uses them."""

from __future__ import annotations

import re
import uuid
from io import BytesIO
from typing import Any

import pytest

from tests.app.registry.conftest import workbook
from tests.app.registry.test_api import create, handset
from tests.app.registry.test_import import HEAD, ROW

HTML = {"Accept": "text/html"}


def post(client: Any, path: str, **data: Any) -> Any:
    """As a form does: the idempotency key is a field, not a header."""
    data["_idempotency_key"] = uuid.uuid4().hex
    return client.post(
        path, data=data, content_type="multipart/form-data", headers={**HTML, "Idempotency-Key": ""}
    )


def page(client: Any, path: str, status: int = 200) -> str:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == status, answer.text
    return str(answer.text)


def test_every_list_has_a_page_also_when_empty(client: Any, org: Any) -> None:
    overview = page(client, "/registry")
    names = re.findall(r'href="/registry/([a-z-]+)"', overview)
    assert len(set(names) - {"import"}) == 12
    for name in set(names) - {"import"}:
        assert f"/registry/{name}/export.xlsx" in page(client, f"/registry/{name}")
        assert client.get(f"/registry/{name}/export.csv").status_code == 200
        assert client.get(f"/registry/{name}/template.xlsx").data.startswith(b"PK")
    page(client, "/registry/nonsense", 404)
    page(client, "/registry/handsets/export.pdf", 404)


def test_a_list_searches_sorts_and_links_to_its_phones(client: Any, org: Any) -> None:
    made = create(client, "handsets", **handset(org, model="<b>x</b>"))
    create(client, "handsets", **handset(org, serial="SER00002", asset_tag="GJ-0002", imei1=None, imei2=None))
    found = page(client, "/registry/handsets?q=R58M&sort=-serial&state=active")
    assert f'href="/phones/{made["id"]}"' in found
    assert "GJ-0002" not in found
    assert "&lt;b&gt;x&lt;/b&gt;" in found
    assert "/registry/handsets/export.xlsx?q=R58M" in found
    everything = page(client, f"/registry/handsets?centre={org.other_centre}&q=&sort=nonsense&state=%00")
    assert "没有符合条件的手机" in everything
    assert "还没有登记号码" in page(client, "/registry/numbers")


def test_upload_dry_run_confirm(client: Any, org: Any) -> None:
    assert "资产编号" in page(client, "/registry/import?resource=handsets")
    file = (BytesIO(workbook([HEAD, ROW])), "手机.xlsx")
    tried = post(client, "/registry/import", resource="handsets", file=file)
    assert tried.status_code == 303, tried.text
    shown = page(client, tried.headers["Location"])
    assert "试运行通过" in shown
    assert "确认导入" in shown
    assert "还没有登记手机" in page(client, "/registry/handsets")
    done = post(client, f"{tried.headers['Location']}/apply")
    assert done.status_code == 303, done.text
    assert "确认导入" not in page(client, done.headers["Location"])
    assert "R58M123ABC" in page(client, "/registry/handsets")


def test_a_bad_sheet_shows_row_and_column(client: Any, org: Any) -> None:
    file = (BytesIO(workbook([HEAD, ["C1", "=1", "R58M123ABC", 490154203237518, "a", "b"]])), "手机.xlsx")
    tried = post(client, "/registry/import", resource="handsets", file=file)
    shown = page(client, tried.headers["Location"])
    assert "D IMEI1" in shown
    assert "请将该列设为文本格式" in shown
    assert "B 资产编号" in shown
    assert "确认导入" not in shown
    listed = client.get(f"{tried.headers['Location']}/problems.csv").data.decode("utf-8-sig")
    assert listed.splitlines()[1].startswith("2,")


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.xlsx", b"", "文件是空的"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "另存为 .xlsx"),
        ("a.pdf", b"%PDF-1.4", "不是 Excel"),
        ("a.csv", "姓名,性别\r\n张三,男\r\n".encode(), "未知的列"),
    ],
)
def test_an_unusable_file_is_told_above_the_form(
    client: Any, org: Any, name: str, data: bytes, told: str
) -> None:
    tried = post(client, "/registry/import", resource="employees", file=(BytesIO(data), name))
    assert tried.status_code == 303
    assert told in page(client, tried.headers["Location"])


def test_a_refused_confirmation_leaves_nothing_behind(client: Any, org: Any) -> None:
    file = (BytesIO(workbook([HEAD, [*ROW[:1], "GJ-7", "R58M777777", None, *ROW[4:]], ROW])), "手机.xlsx")
    tried = post(client, "/registry/import", resource="handsets", file=file)
    create(client, "handsets", **handset(org, serial="OTHER0001", imei2=None))
    refused = post(client, f"{tried.headers['Location']}/apply")
    assert refused.status_code == 422
    assert "row 3" in refused.text
    assert len(client.get("/api/v1/handsets").json["items"]) == 1
