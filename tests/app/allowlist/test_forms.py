"""The forms of the allow-list: what was typed is not lost by a fault."""

from __future__ import annotations

import re
from html import unescape

from flask import Flask

from tests.app.allowlist.support import add_phone, draft_of, submit, text_of
from tests.app.conftest import ON_SQLITE, Caller, Org


@ON_SQLITE
def test_what_was_typed_into_a_setting_stands_there_again_beside_its_fault(
    app: Flask, org: Org, client: Caller
) -> None:
    typed = {"act": "setting", "name": "users.allowed", "value": "0\n十"}
    answer = submit(
        client, "/allowlist/drafts", back=f"/allowlist?show=settings&centre={org.centre}", **typed
    )
    page = client.get(answer.headers["Location"]).text
    assert "允许的用户空间：“十”不是编号" in page
    assert re.search(r'<details open id="users.allowed">.*?0\n十</textarea>', page, re.DOTALL)
    assert page.count("<details open") == 1
    long = typed | {"value": "十\n" * 1000}
    assert submit(client, "/allowlist/drafts", back="/allowlist", **long).headers["Location"] == "/allowlist"


@ON_SQLITE
def test_an_app_is_changed_in_a_form_that_keeps_what_was_typed(app: Flask, org: Org, client: Caller) -> None:
    page = client.get(f"/allowlist?centre={org.centre}&q=微信").text
    link = unescape(re.search(r'href="(/allowlist/new\?[^"]+)"', page.partition("<table")[2])[1])  # type: ignore[index]
    form = client.get(link).text
    assert "改应用“微信”" in form
    assert [place for place in ("required", "optional", "forbidden") if f'value="{place}"' in form] == [
        "required", "optional",
    ]  # fmt: skip
    typed = {
        "act": "app",
        "place": "optional",
        "label": "微信",
        "package": "com.tencent.mm",
        "least_version": "八",
    }
    answer = submit(client, "/allowlist/drafts", back=link, **typed)
    again = client.get(answer.headers["Location"]).text
    assert "改应用“微信”" in again
    assert 'value="八"' in again
    assert '<option value="optional" selected>' in again
    assert "最低版本填版本号" in again


@ON_SQLITE
def test_the_impact_counts_what_appears_and_what_vanishes_and_calls_apps_by_name(
    app: Flask, org: Org, client: Caller
) -> None:
    add_phone(app, org.centre, "GJ-1", ["com.taobao.taobao", "com.other.app"], model="M1")
    typed = {"act": "app", "place": "forbidden", "label": "淘宝", "package": "com.taobao.taobao"}
    draft = draft_of(submit(client, "/allowlist/drafts", centre=str(org.centre), **typed))
    page = text_of(client.get(draft))
    assert re.search(r"新出现的问题（[1-9]\d*）", page)
    assert re.search(r"不再有的问题（[1-9]\d*）", page)
    assert "“淘宝”（com.taobao.taobao）" in text_of(client.get(f"{draft}?way=vanishes"))
    one = text_of(client.get(f"{draft}?show=phones&code=app_forbidden&subject=com.taobao.taobao"))
    assert "只列有“禁止的应用：淘宝”的手机" in one
    assert "GJ-1" in one
