"""What other rooms see of the passwords of a kit."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.escrow import Filed, SecretState, blind_check, file_secret, kit_secrets, mark_handed, mark_lost
from app.escrow.model import Secret
from app.http.access import access
from app.http.transaction import open_write
from app.kernel.tenancy import SYSTEM, Principal
from app.tasks import Task
from tests.app.escrow.conftest import PIN
from tests.app.escrow.test_flow import events, rows_of, writing


def filed(app: Flask, kit: Any, clock: Any, text: str = PIN) -> Any:
    here = app.extensions["butler"]
    with writing(app) as session:
        what = Filed("handset", kit.phone, "screen_lock", text, in_force=True)
        secret, _ = file_secret(
            session, SYSTEM, what, vault=here.vault, policies=here.policies, now=clock.now()
        )
        return secret.id


def states(app: Flask, kit: Any, clock: Any, who: Principal = SYSTEM) -> list[SecretState]:
    with writing(app) as session:
        return kit_secrets(
            session, who, app.extensions["butler"].policies, handset_ids=[kit.phone, kit.foreign],
            number_ids=[kit.number], wechat_ids=[kit.account], now=clock.now(),
        )  # fmt: skip


def test_what_is_filed_and_what_is_not(app: Flask, org: Any, kit: Any, clock: Any) -> None:
    secret_id = filed(app, kit, clock)
    found = states(app, kit, clock)
    assert [(s.subject_name, s.kind, s.filed) for s in found] == [
        ("GJ-1", "screen_lock", True),
        ("GJ-9", "screen_lock", False),
        ("+8613800005678", "sim_pin", False),
        ("+8613800005678", "service_password", False),
        ("小新", "wechat_password", False),
    ]
    first = found[0]
    assert (first.id, first.label, first.tries_left, first.on_phone) == (secret_id, "锁屏密码", 3, True)
    assert (first.filed_at, first.checked_at, first.matched, first.due) == (clock.now(), None, None, "")
    assert [(s.id, s.tries_left, s.on_phone) for s in found[1:]] == [(None, None, False)] * 4
    lead = Principal(user="x", roles=frozenset({"lead"}), centres=frozenset({org.centre}))
    assert "GJ-9" not in [s.subject_name for s in states(app, kit, clock, lead)]


def test_a_kit_that_was_handed_over(app: Flask, kit: Any, clock: Any) -> None:
    secret_id = filed(app, kit, clock)
    due_at = clock.now() + dt.timedelta(days=3)
    for _ in range(2):
        with writing(app) as session:
            mark_handed(session, app.extensions["butler"].policies, [secret_id], clock.now(), due_at=due_at)
    assert [s.due for s in states(app, kit, clock) if s.filed] == ["手机已交接"]
    [row] = rows_of(app, select(Secret.due_at))
    assert row.due_at == due_at
    assert len(rows_of(app, select(Task.id).where(Task.state == "open"))) == 1
    assert len(events(app, "escrow.due")) == 1
    with writing(app) as session:
        mark_lost(
            session,
            app.extensions["butler"].policies,
            [secret_id],
            clock.now(),
            due_at=due_at + dt.timedelta(days=9),
        )
    assert [s.due for s in states(app, kit, clock) if s.filed] == ["手机遗失"]
    [row] = rows_of(app, select(Secret.due_at))
    assert row.due_at == due_at, "what was to be done earlier is not put off"
    filed(app, kit, clock, "268413")
    assert {s.due for s in states(app, kit, clock)} == {""}


@pytest.fixture
def other_room(make_app: Any, database_url: str) -> Flask:
    """An application with a route of another room's that asks for a blind check and then fails."""
    app: Flask = make_app(database_url, fresh=True)

    @app.post("/elsewhere/<uuid:secret_id>/<typed>/<end>")
    @access("lead", late_transaction=True)
    def elsewhere(secret_id: Any, typed: str, end: str) -> Any:
        if end == "late":
            open_write()
        matched = blind_check(secret_id, typed)
        if end == "fail":
            raise ValueError("the view failed afterwards")
        open_write()
        return {"matched": matched}

    return app


@pytest.fixture
def app(request: pytest.FixtureRequest, make_app: Any, database_url: str) -> Flask:
    if "other_room" in request.fixturenames:
        found: Flask = request.getfixturevalue("other_room")
        return found
    made: Flask = make_app(database_url)
    return made


def test_a_blind_check_from_another_room(
    app: Flask, other_room: Flask, org: Any, kit: Any, clock: Any, as_user: Any
) -> None:
    secret_id = filed(app, kit, clock)
    lead, foreign = as_user("lead", org.centre), as_user("lead", org.other_centre)
    assert foreign.post(f"/elsewhere/{secret_id}/{PIN}/ok").status_code == 404
    assert lead.post(f"/elsewhere/{secret_id}/{PIN}/ok").json == {"matched": True}
    assert lead.post(f"/elsewhere/{secret_id}/000000/fail").status_code == 500
    [state] = [s for s in states(app, kit, clock) if s.filed]
    assert (state.matched, state.checked_at, state.tries_left) == (False, clock.now(), 1), "it stands"
    assert lead.post(f"/elsewhere/{secret_id}/{PIN}/late").status_code == 500, "named, not a deadlock"
    assert lead.post(f"/elsewhere/{secret_id}/{PIN}/ok").json == {"matched": True}
    assert lead.post(f"/elsewhere/{secret_id}/{PIN}/ok").status_code == 429
    assert [e.outcome for e in events(app, "escrow.check")] == ["ok", "mismatch", "ok", "refused"]
