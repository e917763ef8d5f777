"""Sheets as offices make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import openpyxl
import pytest


def workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    """An .xlsx of these cells, as openpyxl (that is, as Excel) types them."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(list(row))
    out = BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.fixture
def upload(client: Any) -> Callable[..., Any]:
    """`upload(resource, rows_or_bytes, name)`: put a file up; the answer of the API."""

    def send(resource: str, content: Any, name: str = "导入.xlsx") -> Any:
        data = content if isinstance(content, bytes) else workbook(content)
        return client.post(
            "/api/v1/imports",
            data={"resource": resource, "file": (BytesIO(data), name)},
            content_type="multipart/form-data",
        )

    return send


@pytest.fixture
def problems(upload: Callable[..., Any]) -> Callable[..., Any]:
    """The problems of a dry run as (row, column, code)."""

    def run(resource: str, content: Any, name: str = "导入.xlsx") -> list[tuple[int, str, str]]:
        answer = upload(resource, content, name)
        assert answer.status_code == 201, answer.json
        return [(p["row"], p["column"], p["code"]) for p in answer.json["outcome"]["problems"]]

    return run
