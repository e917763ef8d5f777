"""The API's main acts, by their callers; signing is not among them: a token signs nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.handover.model import KINDS
from app.kernel.db import db
from tests.app.conftest import Caller
from tests.app.handover.conftest import World

# What a database does with it is tried in the flow, the races and the check; here it is who may do what.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

V1 = "/api/v1"


def apart(world: World, caller: Caller) -> Caller:
    """Each request in a context of its own, as for a real caller, though the test's own stands around it."""
    opened = caller.open

    def open_apart(*args: Any, **kwargs: Any) -> Any:
        with world.app.app_context():
            answer = opened(*args, **kwargs)
            db.session.remove()
        return answer

    caller.open = open_apart  # type: ignore[method-assign]
    return caller


@pytest.fixture
def lead(world: World, as_user: Callable[..., Caller]) -> Caller:
    return apart(world, as_user("lead", world.org.centre))


def start(world: World, lead: Caller, **changes: Any) -> Any:
    body = {
        "post_id": str(world.org.post),
        "kind": "issue",
        "reason": "joined",
        "receiver_id": str(world.org.zhang),
    }
    world.session.commit()
    return lead.post(f"{V1}/handovers", json={**body, **changes})


def first_leg(lead: Caller, case: Any) -> Any:
    return lead.get(f"{V1}/handovers/{case['id']}/legs").json["items"][0]


def test_from_the_start_to_the_text(world: World, lead: Caller) -> None:
    made = start(world, lead, place="前台")
    assert made.status_code == 201, made.json
    assert (made.json["state"], made.json["lead_user"]) == ("open", str(lead.user_id))
    again = start(world, lead)
    assert (again.status_code, again.json["code"]) == (409, "held")
    leg = first_leg(lead, made.json)
    path = f"{V1}/handover-legs/{leg['id']}"
    listed = lead.get(f"{path}/items").json["items"]
    assert len(listed) == 8
    for item in listed:
        answer = lead.put(
            f"{V1}/handover-items/{item['id']}", json={"present": True, "condition": "good"},
            headers={"If-Match": '"v1"'},
        )  # fmt: skip
        assert answer.status_code == 200, answer.json
        assert (answer.status_code, answer.headers["ETag"]) == (200, '"v2"')
    stale = lead.put(
        f"{V1}/handover-items/{listed[0]['id']}",
        json={"present": None, "condition": ""},
        headers={"If-Match": '"v1"'},
    )
    assert (stale.status_code, stale.json["code"]) == (412, "stale_version")
    counted = lead.put(
        f"{path}/counts",
        json={"counts": {"friends": 3}, "by": "张三"},
        headers={"If-Match": f'"v{leg["version"]}"'},
    )
    assert counted.status_code == 200, counted.json
    assert counted.json["counts"] == {"friends": {"value": 3, "by": "张三"}}
    assert lead.post(f"{path}/tests").json == {"phones": 1}
    assert {t["result"] for t in lead.get(f"{path}/tests").json["items"]} == {"unknown"}
    assert lead.post(f"{path}/hand-tests", json={"key": "call", "result": "pass"}).status_code == 204
    added = lead.post(f"{path}/items", json={"category": "other", "name": "伞"})
    assert added.status_code == 201
    ready = lead.get(f"{path}/readiness").json
    assert [h["step"] for h in ready["hindrances"]] == ["items"]
    assert lead.post(f"{path}/freeze").json["code"] == "not_ready"
    assert (
        lead.post(f"{V1}/handover-items/{added.json['id']}/remove", json={"reason": "不是"}).status_code
        == 200
    )
    frozen = lead.post(f"{path}/freeze")
    assert frozen.status_code == 200, frozen.json
    document = lead.get(f"{path}/document").json
    assert (document["digest"], document["document"]["title"]) == (frozen.json["digest"], "领取登记单")
    assert lead.post(f"{path}/decline", json={"side": "receiver", "words": "少一件"}).json["state"] == "draft"
    assert lead.post(f"{path}/exceptions", json={"side": "giver", "words": "x"}).status_code == 201
    assert lead.post(f"{path}/freeze").status_code == 200
    assert lead.post(f"{path}/unfreeze", json={"reason": "再看"}).json["state"] == "draft"
    assert lead.get(f"{path}/differences").json == {"items": []}
    done = lead.post(f"{V1}/handovers/{made.json['id']}/cancel", json={"reason": "不来了"})
    assert done.json["state"] == "cancelled"
    assert lead.post(f"{path}/correct", json={"reason": "x"}).json["code"] == "handover_state"


def test_lists_and_dates(world: World, lead: Caller) -> None:
    made = start(world, lead).json
    assert [row["id"] for row in lead.get(f"{V1}/handovers?state=open").json["items"]] == [made["id"]]
    assert lead.get(f"{V1}/handovers?kind=return").json["items"] == []
    assert lead.get(f"{V1}/handovers?dogs=1").status_code == 422
    later = "2026-12-24T00:00:00+08:00"
    moved = lead.post(f"{V1}/handovers/{made['id']}/due", json={"due_at": later})
    assert moved.status_code == 200, moved.json
    assert moved.json["due_at"] == "2026-12-23T16:00:00.000000Z"
    past = lead.post(f"{V1}/handovers/{made['id']}/due", json={"due_at": "2020-01-01T00:00:00Z"})
    assert past.status_code == 422
    other = lead.post(f"{V1}/handovers/{made['id']}/receiver", json={"employee_id": str(world.org.li)})
    assert other.json["receiver_id"] == str(world.org.li)
    assert lead.post(f"{V1}/handovers/{made['id']}/conclude", json={"reason": "x"}).status_code == 409


@pytest.mark.parametrize(
    ("role", "here", "status"),
    [
        ("operations", True, 201),
        ("lead", False, 404),
        ("butler", True, 403),
        ("auditor", True, 403),
        ("it", True, 403),
    ],
)
def test_who_may_begin(
    world: World, as_user: Callable[..., Caller], role: str, here: bool, status: int
) -> None:
    caller = apart(world, as_user(role, world.org.centre if here else world.org.other_centre))
    assert start(world, caller).status_code == status


def test_ugly_input(world: World, lead: Caller) -> None:
    assert start(world, lead, kind="gift").status_code == 422
    assert start(world, lead, reason="because").status_code == 422
    assert start(world, lead, receiver_id=None).json["errors"][0]["field"] == "receiver_id"
    assert start(world, lead, lead_user="nobody").json["errors"][0]["field"] == "lead_user"
    assert start(world, lead, receiver_id=str(world.org.post)).status_code == 404
    assert start(world, lead, note="\0").status_code == 422
    assert set(KINDS) == {"issue", "handover", "return"}
