"""Papers at the desk, for the parties, and for whoever checks one."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.audit import AuditRow
from app.kernel.db import db
from app.kernel.jobs import Transactions
from app.papers.model import Paper
from tests.app.conftest import Caller, Org

Issued = Callable[..., uuid.UUID]
AsUser = Callable[..., Caller]
HTML = {"Accept": "text/html"}


def paper_of(app: Flask, paper_id: uuid.UUID) -> Paper:
    with app.app_context(), Session(db.engine, expire_on_commit=False) as session:
        return session.get_one(Paper, paper_id)


def post(client: Caller, **fields: Any) -> Any:
    headers = {**HTML, "Origin": "http://127.0.0.1"}
    return client.post("/papers/check", data=fields, headers=headers, content_type="multipart/form-data")


def test_the_desk_finds_it_by_what_it_knows(issued: Issued, org: Org, as_user: AsUser, app: Flask) -> None:
    first, second = issued(), issued(kind="issue", parties=())
    lead = as_user("lead", org.centre)
    page = lead.get("/papers", headers=HTML).text
    numbers = [paper_of(app, i).number for i in (first, second)]
    assert all(number in page for number in numbers)
    about = paper_of(app, first).about
    assert about, "a line says what the paper is about"
    assert about in page
    assert "张三" in page
    assert all(number in lead.get(f"/papers?q={about}", headers=HTML).text for number in numbers)
    for query, shown in {
        "q=张三": [True, False],
        "q=E001": [True, False],
        f"q={numbers[1]}": [False, True],
        "kind=issue": [False, True],
        "from=2020-01-01&to=2020-01-02": [False, False],
        "from=2020-01-01&to=9999-12-31": [True, True],
        f"centre={org.other_centre}": [False, False],
        "from=rubbish&kind=": [True, True],
    }.items():
        found = lead.get(f"/papers?{query}", headers=HTML).text
        assert [f"/papers/{i}" in found for i in (first, second)] == shown, query


def test_who_sees_what(issued: Issued, org: Org, as_user: AsUser) -> None:
    paper_id = issued()
    zhang = as_user("butler", org.centre, employee=org.zhang)
    li = as_user("butler", org.centre, employee=org.li)
    foreign = as_user("lead", org.other_centre)
    for path in (f"/papers/{paper_id}", f"/papers/{paper_id}.pdf", f"/api/v1/papers/{paper_id}"):
        assert zhang.get(path).status_code == 200, path
        assert as_user("auditor").get(path).status_code == 200, path
        assert li.get(path).status_code == 404, path
        assert foreign.get(path).status_code == 404, path
    assert f"/papers/{paper_id}" in zhang.get("/my/papers", headers=HTML).text
    assert f"/papers/{paper_id}" not in li.get("/my/papers", headers=HTML).text
    assert zhang.get("/papers").status_code == 403
    assert as_user("lead", org.centre).get("/my/papers").status_code == 404
    assert [p["id"] for p in zhang.get("/api/v1/papers").json["items"]] == [str(paper_id)]
    assert li.get("/api/v1/papers").json["items"] == []


def test_the_page_shows_the_document_and_its_pictures(
    issued: Issued, org: Org, as_user: AsUser, app: Flask
) -> None:
    paper_id = issued()
    lead = as_user("lead", org.centre)
    page = lead.get(f"/papers/{paper_id}", headers=HTML).text
    for words in (
        "一号片区管家",
        "充电器",
        "缺少",
        "正面",
        "移交人",
        "真实有效",
        paper_of(app, paper_id).sha256,
    ):
        assert words in page
    picture = page.partition('<img src="/papers/')[2].partition('"')[0]
    answer = lead.get(f"/papers/{picture}")
    assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
    assert as_user("lead", org.other_centre).get(f"/papers/{picture}").status_code == 404
    pdf = lead.get(f"/papers/{paper_id}.pdf")
    name = paper_of(app, paper_id).pdf_sha256
    assert lead.get(f"/papers/{paper_id}/pictures/{name}").status_code == 404, "no other blob by this way"
    assert pdf.headers["Content-Disposition"].startswith("inline; filename=")
    assert pdf.data == lead.get(f"/api/v1/papers/{paper_id}/pdf").data


def test_reading_is_noted(issued: Issued, org: Org, as_user: AsUser, transactions: Transactions) -> None:
    paper_id, lead = issued(), as_user("lead", org.centre)
    lead.get(f"/papers/{paper_id}", headers=HTML)
    with transactions() as session:
        row = session.scalars(select(AuditRow).where(AuditRow.action == "paper.read")).one()
        assert (row.actor, row.object) == (str(lead.user_id), f"paper:{paper_id}")


def test_anybody_checks_by_code_number_or_file(
    issued: Issued, app: Flask, anonymous: Caller, client: Caller
) -> None:
    paper_id = issued()
    paper, pdf = paper_of(app, paper_id), client.get(f"/papers/{paper_id}.pdf").data
    anonymous.token = None
    pages = [
        anonymous.get(f"/p/{paper.code}", headers=HTML),
        post(anonymous, number=paper.number.lower(), code=f" {paper.code} "),
        post(anonymous, file=(io.BytesIO(pdf), "x.pdf")),
    ]
    for page in pages:
        assert page.status_code == 200
        assert "真实有效" in page.text
        assert paper.number in page.text
        for private in ("张三", "充电器", "查看全文", str(paper_id), "user-1"):
            assert private not in page.text, private
    assert "一个字节都没有改动" in pages[2].text


def test_what_is_unknown_gets_one_answer(issued: Issued, app: Flask, anonymous: Caller) -> None:
    paper = paper_of(app, issued())
    anonymous.token = None
    given: list[dict[str, str]] = [
        {"number": "JJ-C1-2026-0009", "code": paper.code},
        {"number": paper.number, "code": "wrong"},
        {"number": paper.number, "code": ""},
        {"number": "", "code": "\u202e'\"<script>"},
    ]
    answers = {
        (a.status_code, a.text.split("_idempotency_key")[0]) for a in (post(anonymous, **g) for g in given)
    }
    assert len(answers) == 1
    assert next(iter(answers))[0] == 404
    assert anonymous.get("/p/nothing", headers=HTML).status_code == 404
    strange = post(anonymous, file=(io.BytesIO(b"%PDF-1.7 other"), "x.pdf"))
    assert strange.status_code == 404
    assert "没有生成过这个文件" in strange.text


def test_guessing_is_braked_and_right_ones_cost_nothing(
    issued: Issued, app: Flask, anonymous: Caller
) -> None:
    code = paper_of(app, issued()).code
    anonymous.token = None
    assert {anonymous.get(f"/p/{code}", headers=HTML).status_code for _ in range(35)} == {200}
    found = [anonymous.get(f"/p/guess{i}", headers=HTML).status_code for i in range(40)]
    assert found[:29] == [404] * 29
    assert found[-1] == 429
    assert anonymous.get(f"/p/{code}", headers=HTML).status_code == 429


def test_a_forged_one_is_said_so(
    issued: Issued, app: Flask, anonymous: Caller, client: Caller, transactions: Transactions
) -> None:
    paper_id = issued()
    pdf = client.get(f"/papers/{paper_id}.pdf").data
    with transactions() as session:
        session.execute(update(Paper).values(document="{}"))
    for page in (
        anonymous.get(f"/p/{paper_of(app, paper_id).code}", headers=HTML),
        post(anonymous, file=(io.BytesIO(pdf), "x.pdf")),
        client.get(f"/papers/{paper_id}", headers=HTML),
    ):
        assert page.status_code == 200
        assert "不真实" in page.text
        assert "充电器" not in page.text
    assert client.get(f"/api/v1/papers/{paper_id}").json["document"] is None
    assert client.get(f"/api/v1/papers/{paper_id}").json["verdict"] == "false"


def test_a_correction_is_shown_on_both(issued: Issued, app: Flask, client: Caller) -> None:
    first = issued()
    second = issued(corrects=first)
    numbers = [paper_of(app, i).number for i in (first, second)]
    assert f'以 <a href="/papers/{second}">{numbers[1]}' in client.get(f"/papers/{first}", headers=HTML).text
    assert numbers[0] in client.get(f"/papers/{second}", headers=HTML).text
    assert f"已由 {numbers[1]}" in client.get(f"/p/{paper_of(app, first).code}", headers=HTML).text
    assert f"由 {numbers[1]} 代替" in client.get("/papers", headers=HTML).text
    assert client.get(f"/api/v1/papers/{first}").json["corrected_by"] == str(second)


@pytest.mark.parametrize("printed", [True, False])
def test_the_command_line(
    issued: Issued, app: Flask, client: Caller, transactions: Transactions, tmp_path: Any, printed: bool
) -> None:
    paper_id, runner = issued(), app.test_cli_runner()
    file = tmp_path / "paper.pdf"
    file.write_bytes(client.get(f"/papers/{paper_id}.pdf").data if printed else b"%PDF-1.7")
    assert runner.invoke(args=["papers", "verify", str(file)]).exit_code == (0 if printed else 1)
    assert runner.invoke(args=["papers", "verify"]).exit_code == 0
    whole = runner.invoke(args=["audit", "verify"])
    assert (whole.exit_code, "没有改动" in whole.output) == (0, True)
    with transactions() as session:
        session.execute(update(Paper).values(title="别的"))
    broken = runner.invoke(args=["audit", "verify"])
    assert broken.exit_code == 1
    assert "内容" in broken.output
    assert runner.invoke(args=["papers", "verify"]).exit_code == 1
