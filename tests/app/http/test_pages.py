"""What all pages share: times, links, assets, errors for people."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.http.pages import ago, asset, changed_url, day, local_path, span, when, zh
from app.kernel.clock import FixedClock

BASE_URL = "http://127.0.0.1"


def test_pages_tell_the_chinese_half() -> None:
    assert zh("没有这台手机 / no such phone") == "没有这台手机"
    assert zh("没有") == "没有"


def test_times_are_told_in_shanghai() -> None:
    instant = dt.datetime(2026, 11, 21, 16, 5, 9, tzinfo=dt.UTC)
    assert when(instant) == "2026-11-22 00:05"
    assert day(instant) == "2026-11-22"
    assert day(dt.date(2026, 5, 3)) == "2026-05-03"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 秒"),
        (59.9, "59 秒"),
        (60, "1 分钟"),
        (3661, "1 小时 1 分钟"),
        (3605, "1 小时"),
        (86400 * 3 + 7200 + 59, "3 天 2 小时"),
        (86400 + 59, "1 天"),
    ],
)
def test_spans_are_told_in_two_units(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_what_lies_ahead_is_never_told_as_past(app: Flask, clock: FixedClock) -> None:
    with app.test_request_context("/", base_url=BASE_URL):
        assert ago(clock.now() + dt.timedelta(minutes=5)) == "5 分钟后"
        assert ago(clock.now() - dt.timedelta(minutes=5)) == "5 分钟前"
        assert ago(clock.now()) == "刚刚"


@given(st.text())
def test_a_local_path_stays_on_this_server(text: str) -> None:
    path = local_path(text)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert path.isascii()
    assert path.isprintable()


def test_links_keep_what_was_asked(app: Flask) -> None:
    with app.test_request_context("/?q=张三&sort=tag&page=3", base_url=BASE_URL):
        assert changed_url(page=None, sort="-tag") == "/?q=%E5%BC%A0%E4%B8%89&sort=-tag"
    with app.test_request_context("/?q=", base_url=BASE_URL):
        assert changed_url() == "/"


def test_only_an_address_that_names_the_content_is_kept_for_ever(app: Flask) -> None:
    client = app.test_client()
    with app.test_request_context("/", base_url=BASE_URL):
        address = asset("butler.css")
    named = client.get(address, base_url=BASE_URL, buffered=True)
    assert named.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in named.headers
    assert "Cookie" not in named.headers.get("Vary", "")
    for other in ("/static/butler.css", "/static/butler.css?v=000000000000"):
        assert "immutable" not in client.get(other, base_url=BASE_URL, buffered=True).headers.get(
            "Cache-Control", ""
        )


def test_vendored_files_come_with_their_licence(app: Flask) -> None:
    vendor = Path(app.static_folder or "") / "vendor"
    folders = [path for path in vendor.iterdir() if path.is_dir()]
    assert {path.name.rpartition("-")[0] for path in folders} == {"htmx", "swagger-ui"}
    assert all((path / "LICENSE").stat().st_size > 0 for path in folders)


def test_people_get_a_page_and_programs_a_problem(app: Flask) -> None:
    client = app.test_client()
    chromium = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
    page = client.get("/nothing-here", headers={"Accept": chromium}, base_url=BASE_URL)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "没有找到" in page.text
    for accept in ("*/*", "application/json", "application/json, text/plain, */*"):
        answer = client.get("/nothing-here", headers={"Accept": accept}, base_url=BASE_URL)
        assert answer.mimetype == "application/problem+json"
    api = client.get("/api/v1/nothing", headers={"Accept": chromium}, base_url=BASE_URL)
    assert api.mimetype == "application/problem+json"


def test_the_api_page_brings_no_inline_script(app: Flask) -> None:
    page = app.test_client().get("/api/v1/docs", base_url=BASE_URL)
    assert page.status_code == 200
    assert 'data-document="/api/v1/openapi.json"' in page.text
    assert "<script>" not in page.text
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
