from __future__ import annotations

import datetime as dt
import re

import pytest

from app.notify import Recipients, tell
from app.scheduler import write_transaction

API = "/api/v1/my/notices"


@pytest.fixture
def zhang(as_user, org):
    return as_user("butler", org.centre, employee=org.zhang, name="张三")


@pytest.fixture
def write(app, org, clock):
    def made(number, who=None, **more):
        with app.app_context(), write_transaction() as session:
            for n in range(number):
                now = clock.now() + dt.timedelta(seconds=n)
                tell(
                    session, key=f"{who}{n}", kind="incident", centre_id=org.centre, title=f"第{n}件", body="内容<b>",
                    to=Recipients(employees=(who or org.zhang,)), link="/my/duty", now=now, **more,
                )  # fmt: skip

    return made


def titles(caller, path=API):
    answer = caller.get(path)
    assert answer.status_code == 200, answer.text
    return [item["title"] for item in answer.json["items"]]


def test_unread_ones_come_first_and_pages_put_together_are_the_whole(zhang, write):
    write(5)
    first = zhang.get(API).json["items"][0]
    assert zhang.post(f"{API}/{first['id']}/read").json["read_at"] is not None
    assert titles(zhang) == ["第3件", "第2件", "第1件", "第0件", "第4件"]
    assert [titles(zhang, f"{API}?limit=2&page={n}") for n in (1, 2, 3)] == [
        ["第3件", "第2件"], ["第1件", "第0件"], ["第4件"],
    ]  # fmt: skip
    assert titles(zhang, f"{API}?unread=true&q=第2") == ["第2件"]
    assert zhang.post(f"{API}/{first['id']}/unread").json["read_at"] is None
    assert zhang.post(f"{API}/read").json == {"read": 5}
    assert zhang.get(API).json["unread"] == 0


def test_an_others_notice_is_not_there(as_user, org, write, zhang, client):
    write(1)
    notice = zhang.get(API).json["items"][0]["id"]
    for other in (as_user("admin"), as_user("lead", org.centre, employee=org.li), client):
        assert titles(other) == []
        assert other.post(f"{API}/{notice}/read").status_code == 404
        assert other.post(f"/inbox/{notice}/read").status_code == 404
        assert "第0件" not in other.get("/inbox").text


def test_the_page_shows_opens_and_counts(zhang, write):
    assert "没有通知" in zhang.get("/inbox").text
    assert "badge" not in zhang.get("/inbox/count").text
    write(3, urgent=True)
    page = zhang.get("/inbox").text
    assert "3 条未读" in page
    assert "内容&lt;b&gt;" in page
    assert ">3<" in zhang.get("/inbox/count").text
    path = re.search(r'action="(/inbox/[0-9a-f-]+/read)"', page)[1]
    assert zhang.post(path, data={"open": "1"}).headers["Location"] == "/my/duty"
    assert ">2<" in zhang.get("/inbox/count").text
    assert zhang.post("/inbox/read", data={"back": "//evil.example"}).headers["Location"] == "/inbox"
    assert "没有符合条件" in zhang.get("/inbox?show=unread").text


def test_a_page_beyond_the_last_is_the_last(zhang, write):
    write(1)
    assert "第0件" in zhang.get("/inbox?page=99999999").text
    assert "第0件" in zhang.get("/inbox?page=-5").text
    assert titles(zhang, f"{API}?page=7") == ["第0件"]


def test_the_inbox_is_for_who_is_signed_in(anonymous):
    assert anonymous.get(API).status_code == 401
