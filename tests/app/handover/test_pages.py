"""The pages of a handover by forms as a browser sends them: every step, who may do what, and what is refused."""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Callable
from contextvars import Context
from typing import Any

import pytest
from PIL import Image

from app.handover import store
from app.people import set_known_password
from app.people.model import User
from tests.app.handover.conftest import World
from tests.app.session.conftest import PASSWORD, Person, browser_of

STROKES = json.dumps(
    {"width": 300, "height": 120, "strokes": [[[20, 30], [90, 80], [200, 40]], [[120, 20], [130, 110]]]}
)


class Apart(Person):
    """A browser whose requests know nothing of the test's own application context and session."""

    def post(self, path: str, **fields: Any) -> Any:
        return Context().run(super().post, path, **fields)

    def get(self, path: str) -> Any:
        return Context().run(super().get, path)


@pytest.fixture
def browser(world: World) -> Callable[[str], Apart]:
    """`browser("zhang")`: he at a browser of his own, signed in with password and, where he needs it, authenticator.

    From then on the world's session only reads, or it would keep the write lock from the browsers.
    """
    for user_id in world.users.values():
        set_known_password(world.session, world.session.get_one(User, user_id), PASSWORD, world.now)
    world.session.commit()

    def sign_in(name: str) -> Apart:
        who = Apart(browser_of(world.app), world.clock, world.users[name], name)
        if "next" in who.sign_in().headers.get("Location", ""):
            who.enrol()
            who.clock.move(31)
        assert who.inside()
        return who

    return sign_in


def photo(colour: str = "red") -> Any:
    out = io.BytesIO()
    Image.new("RGB", (80, 60), colour).save(out, "JPEG")
    out.seek(0)
    return (out, "photo.jpg")


def page(who: Person, path: str, status: int = 200) -> str:
    answer = who.get(path)
    assert answer.status_code == status, (path, answer.status_code, answer.text[:2000])
    return str(answer.text)


def seen_digest(text: str) -> str:
    return re.search(r'name="digest" value="([0-9a-f]{64})"', text)[1]  # type: ignore[index]


def fill_in(world: World, path: str, lead: Person) -> None:
    """Every card by its own form."""
    for row in store.items_of(world.session, uuid.UUID(path.rpartition("/")[2])):
        fields = {"present": "yes", "condition": "good", "words": "", "version": str(row.version)}
        assert lead.post(f"/handovers/items/{row.id}", **fields).status_code == 303
    world.session.rollback()


def begin_issue(world: World, lead: Person) -> str:
    """The path of the only leg of an issue to Zhang."""
    begun = lead.post(
        "/handovers", post=str(world.org.post), kind="issue", reason="joined", receiver=str(world.org.zhang),
        due_at="2026-11-25T10:00", lead=str(world.users["lead"]),
    )  # fmt: skip
    assert begun.status_code == 303, begun.text
    return (
        "/handovers/legs/"
        + re.search(r"/handovers/legs/([0-9a-f-]{36})", page(lead, begun.headers["Location"]))[1]
    )  # type: ignore[index]


def test_a_kit_is_issued_step_by_step(world: World, browser: Any) -> None:
    lead, zhang = browser("lead"), browser("zhang")
    assert "还没有交接" in page(lead, "/handovers")
    assert "一号片区管家" in page(lead, "/handovers/new")
    assert "SIM 卡" in page(lead, f"/handovers/new?post={world.org.post}")
    wrong = lead.post(
        "/handovers", post=str(world.org.post), kind="issue", reason="", due_at="x", note="说明在此"
    )
    assert (wrong.status_code, "说明在此" in wrong.text) == (422, True)
    path = begin_issue(world, lead)
    for step in ("items", "tests", "passwords", "counts", "review", "sign", "done"):
        page(lead, f"{path}/{step}")
        page(zhang, f"{path}/{step}")
    assert lead.get(path).headers["Location"].endswith("/items")
    item = re.search(r'action="/handovers/items/([0-9a-f-]{36})"', page(lead, f"{path}/items"))[1]  # type: ignore[index]
    for _ in range(2):
        assert lead.post(f"/handovers/items/{item}/photos", photos=photo()).status_code == 303
    (sha,) = set(re.findall(rf"{path}/pictures/([0-9a-f]{{64}})", page(lead, f"{path}/items")))
    for who in (lead, zhang):
        assert who.get(f"{path}/pictures/{sha}").headers["Content-Type"] == "image/jpeg"
    blocked = lead.post(f"{path}/freeze")
    assert (blocked.status_code, "还没有清点" in blocked.text) == (409, True)
    counts = {"by": "张三数的", "count-friends": "312"}
    assert lead.post(f"{path}/counts", version="1", **counts).status_code == 303
    assert lead.post(f"{path}/counts", version="1", **counts).status_code == 412
    assert lead.post(f"{path}/tests/screen", result="pass", words="").status_code == 303
    assert zhang.post(f"{path}/exceptions", side="receiver", words="充电器是旧的").status_code == 303
    fill_in(world, path, lead)
    shown = page(lead, f"{path}/review")
    assert all(words in shown for words in ("充电器是旧的", "312", "张三数的"))
    assert lead.post(f"{path}/freeze").headers["Location"] == f"{path}/sign"
    digest = seen_digest(page(lead, f"{path}/sign"))
    assert "去签字" in page(zhang, "/my/handovers")
    word = {"digest": digest, "ink": STROKES, "password": PASSWORD, "how": "own"}
    signed = lead.post(f"{path}/sign", side="giver", **word)
    assert signed.headers["Location"] == f"{path}/sign", signed.text
    assert "已签" in page(zhang, f"{path}/sign")
    done = zhang.post(f"{path}/sign", side="receiver", **word)
    assert done.headers["Location"] == f"{path}/done", done.text
    assert "LQ-C1-2026-0001" in page(zhang, f"{path}/done")
    assert "办完的" in page(zhang, "/my/handovers")
    assert "已完成" in page(lead, "/handovers?state=completed")
