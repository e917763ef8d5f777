"""From filing to showing, at real browsers, on both databases."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.audit import AuditRow
from app.escrow import due, jobs, states
from app.escrow.model import RevealRequest, Secret, SecretVersion
from app.kernel.db import Base, begin_write, db
from app.people.model import RoleGrant
from app.registry import Handset
from app.tasks import Task
from tests.app.escrow.conftest import PIN

NEW_PIN = "268413"


@contextmanager
def writing(app: Any) -> Iterator[Session]:
    with app.app_context():
        session = begin_write(db.session())
        yield session
        session.commit()
        db.session.remove()


def file_pin(who: Any, kit: Any, pin: str = PIN, **more: str) -> Any:
    fields = {"of": "handset", "subject": str(kit.phone), "kind": "screen_lock", "how": "typed"}
    return who.post("/escrow/file", **{**fields, "text": pin, "again": pin, "in_force": "yes", **more})


def path_of(answer: Any) -> str:
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def rows_of(app: Any, query: Any) -> list[Any]:
    with app.app_context():
        found = list(db.session.execute(query).all())
        db.session.remove()
    return found


def events(app: Any, action: str) -> list[Any]:
    return rows_of(
        app, select(AuditRow.outcome, AuditRow.reason, AuditRow.actor).where(AuditRow.action == action)
    )


def dump(app: Any) -> str:
    """Every cell of every table, as text and as bytes."""
    with app.app_context():
        parts = []
        for table in Base.metadata.sorted_tables:
            for row in db.session.execute(select(table)):
                parts += [repr(cell) for cell in row]
        db.session.remove()
    return "\n".join(parts)


def revealed(asker: Any, approver: Any, secret: str) -> Any:
    """Through all steps; the answer that shows it."""
    asker.post(f"{secret}/reveal", reason="手机锁住了，要进去")
    reveal = re.search(r"/escrow/reveals/([0-9a-f-]{36})/", approver.get("/escrow/reveals").text)
    assert reveal
    path = f"/escrow/reveals/{reveal[1]}"
    assert approver.post(f"{path}/approve").status_code == 303
    asker.clock.move(31)
    page = asker.post(f"{path}/open", code=asker.code())
    assert page.status_code == 200, page.text
    token = re.search(r'name="token" value="([^"]+)"', page.text)
    assert token
    return path, token[1], asker.post(f"{path}/show", token=token[1])


def test_file_check_renew(app: Any, kit: Any, at_desk: Any) -> None:
    who = at_desk()
    secret = path_of(file_pin(who, kit))
    page = who.get(secret).text
    assert "使用中" in page
    assert PIN not in page
    assert path_of(who.post(f"{secret}/check", typed="７３９ １５４".replace(" ", ""))) == secret
    assert "核对一致" in who.get(secret).text
    waiting = file_pin(who, kit, NEW_PIN, in_force="")
    assert path_of(waiting) == secret
    assert "新密码待生效" in who.get(secret).text
    who.post(f"{secret}/check", typed=NEW_PIN)
    assert "不一致" in who.get(secret).text, "until it is in force the old one is"
    who.post(f"{secret}/confirm")
    who.post(f"{secret}/check", typed=NEW_PIN)
    assert "核对一致" in who.get(secret).text
    assert who.post(f"{secret}/check", typed=NEW_PIN).status_code == 429
    assert who.post(f"{secret}/confirm").status_code == 409
    found = rows_of(app, select(SecretVersion.version, SecretVersion.state).order_by(SecretVersion.version))
    assert [tuple(row) for row in found] == [(1, "replaced"), (2, "in_force")]
    assert [e.outcome for e in events(app, "escrow.check")] == ["ok", "mismatch", "ok", "refused"]


def test_a_new_day_has_new_tries(app: Any, kit: Any, at_desk: Any) -> None:
    who = at_desk()
    secret = path_of(file_pin(who, kit))
    for _ in range(3):
        assert who.post(f"{secret}/check", typed="000000").status_code == 303
    assert who.post(f"{secret}/check", typed=PIN).status_code == 429
    who.clock.move(86_400)
    who.sign_in()
    who.post("/enter/code", code=who.code())
    assert who.post(f"{secret}/check", typed=PIN).status_code == 303


def test_concurrent_guesses_are_counted_first(app: Any, kit: Any, at_desk: Any) -> None:
    """Many at once: no more are looked at than policy allows, whoever comes first."""
    who = at_desk()
    secret = path_of(file_pin(who, kit))
    cookie = next(c for c in who.client._cookies.values() if c.key == "butler_session")
    codes: list[int] = []

    def guess(number: int) -> None:
        client = app.test_client()
        client.set_cookie("butler_session", cookie.value, domain="127.0.0.1")
        headers = {"Origin": "http://127.0.0.1", "Idempotency-Key": f"guess-{number}"}
        data = {"typed": f"00000{number}"}
        codes.append(
            client.post(
                f"{secret}/check", data=data, headers=headers, base_url="http://127.0.0.1"
            ).status_code
        )

    threads = [threading.Thread(target=guess, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [303] * 3 + [429] * 5


@pytest.mark.parametrize(
    ("pin", "more", "status"),
    [
        ("12", {}, 422),
        ("111111", {}, 422),
        ("73915x", {}, 422),
        (PIN, {"again": "739155"}, 422),
        (PIN, {"kind": "sim_pin"}, 422),
        (PIN, {"kind": "nonsense"}, 422),
        (PIN, {"subject": "nonsense"}, 404),
        (PIN, {"of": "nonsense"}, 404),
        ("7" * 5000, {}, 422),
    ],
)
def test_what_is_not_filed(kit: Any, at_desk: Any, pin: str, more: dict[str, str], status: int) -> None:
    answer = file_pin(at_desk(), kit, pin, **more)
    assert answer.status_code == status
    # By its quotes: two digits alone stand in every address.
    assert f'"{pin}"' not in answer.text
    assert f">{pin}<" not in answer.text


def test_the_same_again_is_no_renewal(kit: Any, at_desk: Any) -> None:
    who = at_desk()
    path_of(file_pin(who, kit))
    assert "相同" in file_pin(who, kit).text


def test_a_drawn_one_is_shown_once(kit: Any, at_desk: Any) -> None:
    who = at_desk()
    key = "one-key-for-both"
    page = file_pin(who, kit, how="draw", text="", again="", in_force="", _idempotency_key=key)
    drawn = re.search(r'id="secret">(\d{6})<', page.text)
    assert drawn
    assert page.headers["Cache-Control"] == "no-store"
    again = file_pin(who, kit, how="draw", text="", again="", in_force="", _idempotency_key=key)
    assert again.status_code == 409
    assert drawn[1] not in again.text
    secret = re.search(r'href="(/escrow/secrets/[^"]+)"', page.text)
    assert secret
    assert who.post(f"{secret[1]}/check", typed=drawn[1]).status_code == 409, "nothing is in force yet"
    who.post(f"{secret[1]}/confirm")
    who.post(f"{secret[1]}/check", typed=drawn[1])
    assert "核对一致" in who.get(secret[1]).text


def test_seeing_it_takes_two(app: Any, kit: Any, at_desk: Any) -> None:
    asker, approver = at_desk("it"), at_desk("lead")
    secret = path_of(file_pin(asker, kit))
    assert asker.post(f"{secret}/reveal", reason="看").status_code == 422
    path, token, shown = revealed(asker, approver, secret)
    assert PIN in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert asker.post(f"{path}/show", token=token).status_code == 403, "once"
    asker.clock.move(31)
    assert asker.post(f"{path}/open", code=asker.code()).status_code == 409
    [event] = events(app, "escrow.reveal")
    assert event.reason == "手机锁住了，要进去"
    [row] = rows_of(app, select(Secret.due_at, Secret.renew_cause))
    assert row.renew_cause == "shown"
    assert dt.timedelta(hours=23) < row.due_at - asker.clock.now() <= dt.timedelta(hours=24)
    assert [t.title for t in rows_of(app, select(Task.title).where(Task.state == "open"))] == [
        "更换密码：锁屏密码 GJ-1"
    ]
    path_of(file_pin(asker, kit, NEW_PIN))
    [row] = rows_of(app, select(Secret.due_at, Secret.renew_cause))
    assert tuple(row) == (None, None)
    assert rows_of(app, select(Task.id).where(Task.state == "open")) == []


def test_nobody_approves_his_own(kit: Any, at_desk: Any) -> None:
    asker, other = at_desk("operations"), at_desk("lead")
    secret = path_of(file_pin(asker, kit))
    asker.post(f"{secret}/reveal", reason="要看一下密码")
    reveal = re.search(r"/escrow/reveals/([0-9a-f-]{36})/", asker.get("/escrow/reveals").text)
    assert reveal
    path = f"/escrow/reveals/{reveal[1]}"
    assert asker.post(f"{path}/approve").status_code == 403
    asker.clock.move(31)
    assert asker.post(f"{path}/open", code=asker.code()).status_code == 409, "not approved"
    assert asker.post(f"{path}/show", token="").status_code == 403
    assert other.post(f"{path}/approve").status_code == 303
    other.clock.move(31)
    assert other.post(f"{path}/open", code=other.code()).status_code == 403, "not who asked"
    assert asker.post(f"{path}/open", code="000000").status_code == 422, "without the second factor"
    asker.clock.move(31)
    page = asker.post(f"{path}/open", code=asker.code())
    token = re.search(r'name="token" value="([^"]+)"', page.text)
    assert token
    assert other.post(f"{path}/show", token=token[1]).status_code == 403
    assert asker.post(f"{path}/show", token=token[1] + "x").status_code == 403
    asker.clock.move(601)
    assert asker.post(f"{path}/show", token=token[1]).status_code == 403, "ten minutes"


def test_requests_end(app: Any, kit: Any, at_desk: Any) -> None:
    asker, approver = at_desk("it"), at_desk("lead")
    secret = path_of(file_pin(asker, kit))
    asker.post(f"{secret}/reveal", reason="要看一下密码")
    reveal = re.search(r"/escrow/reveals/([0-9a-f-]{36})/", asker.get("/escrow/reveals").text)
    assert reveal
    assert asker.post(f"/escrow/reveals/{reveal[1]}/withdraw").status_code == 303
    assert approver.post(f"/escrow/reveals/{reveal[1]}/approve").status_code == 409
    asker.post(f"{secret}/reveal", reason="还是要看一下")
    with writing(app) as session:
        assert due.expire_reveals(session, approver.clock.now() + dt.timedelta(hours=24)) == 1
        assert due.expire_reveals(session, approver.clock.now() + dt.timedelta(hours=24)) == 0
    found = rows_of(app, select(RevealRequest.state).order_by(RevealRequest.requested_at))
    assert sorted(r.state for r in found) == [states.Reveal.EXPIRED, states.Reveal.WITHDRAWN]


@pytest.mark.parametrize("role", ["admin", "operations", "lead", "it", "butler", "finance", "auditor"])
def test_every_role_here_and_elsewhere(
    app: Any, org: Any, kit: Any, as_user: Any, at_desk: Any, role: str
) -> None:
    secret = path_of(file_pin(at_desk("operations"), kit))
    may_file, may_see = role in ("admin", "operations", "lead", "it"), role not in ("butler", "finance")
    for centre in (org.centre, org.other_centre):
        here, caller = centre == org.centre, as_user(role, centre)
        assert caller.get("/escrow").status_code == (200 if may_see else 403)
        assert ("GJ-1" in caller.get("/escrow").text) == (may_see and here)
        wanted = 403 if not may_see else 200 if here else 404
        assert caller.get(secret).status_code == wanted
        wanted = 403 if not may_file else 303 if here else 404
        assert caller.post(f"{secret}/check", data={"typed": "000000"}).status_code == wanted
        for path in (f"{secret}/reveal", f"/escrow/reveals/{kit.phone}/approve"):
            asked = caller.post(path, data={"reason": "试试看能不能看"})
            assert asked.status_code == 403, "never by a token, only by a person who signed in"
        fields = {
            "of": "handset",
            "subject": str(kit.phone),
            "kind": "screen_lock",
            "text": "1",
            "again": "1",
        }
        wanted = 403 if not may_file else 422 if here else 404
        assert caller.post("/escrow/file", data=fields).status_code == wanted


def test_nobody_unknown(kit: Any, anonymous: Any) -> None:
    assert anonymous.get("/escrow").status_code == 401


def test_sealed_answers_503_and_all_else_works(app: Any, kit: Any, at_desk: Any) -> None:
    who = at_desk()
    secret = path_of(file_pin(who, kit))
    vault = app.extensions["butler"].vault
    root = vault.root()
    vault.drop_root()
    assert file_pin(who, kit, NEW_PIN).status_code == 503
    for _ in range(4):
        assert who.post(f"{secret}/check", typed=PIN).status_code == 503
    assert who.get("/escrow").status_code == 200
    assert "封存" in who.get(secret).text
    assert who.get("/tasks").status_code == 200
    vault.put_root(root)
    assert who.post(f"{secret}/check", typed=PIN).status_code == 303, "no try was spent while it was sealed"


def test_tampered_rows(app: Any, kit: Any, at_desk: Any) -> None:
    """Flipped, cut, swapped, replayed whole: refused by name, noted, and nothing else is broken."""
    who = at_desk()
    secret = path_of(file_pin(who, kit))
    path_of(file_pin(who, kit, NEW_PIN))
    other = path_of(
        file_pin(who, kit, "58203917", of="number", kind="service_password", subject=str(kit.number))
    )
    good = {row.id: row.record for row in rows_of(app, select(SecretVersion.id, SecretVersion.record))}
    query = select(SecretVersion.id).join(Secret).where(Secret.kind == "screen_lock")
    ids = rows_of(app, query.order_by(SecretVersion.version))
    old, new = (row.id for row in ids)
    alien = next(i for i in good if i not in (old, new))
    record = good[new]
    broken = {
        "body": record[:-1] + bytes([record[-1] ^ 1]),
        "length": record[:-1],
        "wrap": good[alien],
        "version": record[:4] + b"\0" + record[5:],
    }
    noted = 0
    for what, bad in broken.items():
        with writing(app) as session:
            session.execute(
                SecretVersion.__table__.update().where(SecretVersion.id == new).values(record=bad)
            )
        who.clock.move(86_400)
        who.sign_in()
        who.post("/enter/code", code=who.code())
        answer = who.post(f"{secret}/check", typed=NEW_PIN)
        assert answer.status_code == 503, what
        assert what in answer.text
        noted += 1
        assert len(events(app, "escrow.tampered")) == noted
        assert who.post(f"{other}/check", typed="58203917").status_code == 303
    with writing(app) as session:
        # The old row whole, as it once stood: its record opens, for its version says so.
        session.execute(text("UPDATE escrow_secret SET in_force = 1 WHERE kind = 'screen_lock'"))
    who.clock.move(86_400)
    who.sign_in()
    who.post("/enter/code", code=who.code())
    answer = who.post(f"{secret}/check", typed=PIN)
    assert answer.status_code == 503
    assert "replayed" in answer.text
    assert len(events(app, "escrow.tampered")) == noted + 1


def test_due_by_age_and_by_leaving(app: Any, kit: Any, at_desk: Any, org: Any) -> None:
    who = at_desk("it")
    path_of(file_pin(who, kit))
    now = who.clock.now()
    with writing(app) as session:
        assert due.mark_left(session, app.extensions["butler"].policies, now) == 0
        assert due.mark_old(session, app.extensions["butler"].policies, now + dt.timedelta(days=179)) == 0
        phone = session.get_one(Handset, session.scalars(select(Secret.handset_id)).one())
        phone.retired_at = now
        session.flush()
        # Nobody can file another for it: its task would stay for ever.
        assert due.mark_old(session, app.extensions["butler"].policies, now + dt.timedelta(days=181)) == 0
        phone.retired_at = None
        session.flush()
        assert due.mark_old(session, app.extensions["butler"].policies, now + dt.timedelta(days=181)) == 1
        assert due.mark_old(session, app.extensions["butler"].policies, now + dt.timedelta(days=181)) == 0
    with writing(app) as session:
        session.execute(RoleGrant.__table__.update().values(valid_to=now + dt.timedelta(hours=1)))
    with writing(app) as session:
        assert due.mark_left(session, app.extensions["butler"].policies, now + dt.timedelta(hours=2)) == 1
        assert due.mark_left(session, app.extensions["butler"].policies, now + dt.timedelta(hours=2)) == 0
    assert rows_of(app, select(Secret.renew_cause))[0].renew_cause == "left"
    names = {"expire_reveals", "renew_after_leaving", "renew_old_secrets", "settle_lock_orders"}
    assert {job.name for job in jobs.JOBS} == names
