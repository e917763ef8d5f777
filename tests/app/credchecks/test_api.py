"""The round for programs: the same rules, problem documents, nothing foreign."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.credchecks import opening
from app.credchecks.closing import Hand, close
from app.credchecks.documents import round_document
from app.credchecks.model import ChangeCase, CheckItem, CheckRound
from app.kernel.db import begin_write, db
from app.kernel.errors import Conflict, Forbidden
from app.papers import Ink, digest
from app.papers.model import Paper
from tests.app.credchecks.conftest import PIN, WECHAT, Place
from tests.app.credchecks.test_pages import item, place, rows

__all__ = ["place"]
API = "/api/v1"
INK = Ink(b"\x89PNG drawn", 1)


@pytest.fixture
def lead(place: Place, as_user: Any) -> Any:
    return as_user("lead", place.org.centre)


def test_round_items_check(app: Flask, place: Place, lead: Any, as_user: Any) -> None:
    (found,) = lead.get(f"{API}/check-rounds?state=open&month=2026-11").json["items"]
    assert (found["month"], found["state"]) == ("2026-11", "open")
    items = lead.get(f"{API}/check-rounds/{found['id']}/items?post_id={place.org.post}").json["items"]
    assert len(items) == 8
    wechat = next(i for i in items if i["kind"] == "wechat_password")
    path = f"{API}/check-items/{wechat['id']}"
    assert lead.post(f"{path}/check", json={"typed": WECHAT}).json["state"] == "match"
    assert lead.post(f"{path}/reopen", json={"reason": "x"}).json["code"] == "check_again"
    nick = next(i for i in items if i["kind"] == "nickname")
    path = f"{API}/check-items/{nick['id']}"
    assert lead.post(f"{path}/attest", json={"matches": False}).status_code == 422
    assert lead.post(f"{path}/attest", json={"matches": True}).json["state"] == "match"
    assert lead.post(f"{path}/reopen", json={"reason": "看错了"}).json["state"] == "open"
    assert lead.post(f"{path}/unreachable", json={"reason": "没网"}).json["state"] == "not_reachable"
    assert lead.post(f"{path}/waive", json={"reason": "送修"}).json["state"] == "waiving"
    assert lead.post(f"{path}/waiver/grant").json["code"] == "second_person"
    second = as_user("operations", place.org.centre)
    assert second.post(f"{path}/waiver/refuse").json["state"] == "open"
    foreign = as_user("lead", place.org.other_centre)
    assert foreign.post(f"{path}/attest", json={"matches": True}).status_code == 404
    assert foreign.get(f"{API}/check-rounds").json["items"] == []
    assert foreign.get(f"{API}/check-rounds/{found['id']}").status_code == 404
    assert (
        lead.post(f"{API}/check-rounds", json={"centre_id": str(place.org.centre)}).json["code"]
        == "round_exists"
    )
    assert lead.get(f"{API}/check-items/{uuid.uuid4()}").status_code == 404


def test_sealed_and_too_often_are_told(app: Flask, place: Place, lead: Any) -> None:
    path = f"{API}/check-items/{item(app, place, 'screen_lock').id}/check"
    for _ in range(3):
        place.clock.move(1)
        assert lead.post(path, json={"typed": "000000"}).json["state"] == "mismatch"
    assert lead.post(path, json={"typed": PIN}).json["code"] == "too_often"
    place.rt.vault.drop_root()
    other = f"{API}/check-items/{item(app, place, 'wechat_password').id}/check"
    assert lead.post(other, json={"typed": WECHAT}).status_code == 503
    assert item(app, place, "wechat_password").state == "open"
    unfiled = f"{API}/check-items/{item(app, place, 'screen_lock', place.second).id}/check"
    assert lead.post(unfiled, json={"typed": PIN}).json["code"] == "nothing_in_force"


def test_a_case_by_program(app: Flask, place: Place, lead: Any, as_user: Any) -> None:
    lead.post(f"{API}/check-items/{item(app, place, 'wechat_password').id}/check", json={"typed": "x1x1x1x1"})
    (case,) = lead.get(f"{API}/change-cases?state=open").json["items"]
    path = f"{API}/change-cases/{case['id']}"
    decided = {"finding": "unauthorised", "reason": "未经说明"}
    assert lead.post(f"{path}/decide", json=decided).status_code == 409
    assert lead.post(f"{path}/statement", json={"text": "x"}).status_code == 403
    cleared = lead.post(f"{path}/decide", json={"finding": "record_wrong", "reason": "上次没备案"}).json
    assert (cleared["state"], cleared["finding"]) == ("decided", "record_wrong")
    assert lead.post(f"{path}/answer", json={"uphold": True, "reason": "x"}).json["code"] == "second_person"
    second = as_user("operations", place.org.centre)
    assert second.post(f"{path}/answer", json={"uphold": True, "reason": "x"}).status_code == 409
    butler = as_user("butler", place.org.centre)
    assert butler.get(f"{API}/change-cases").json["items"] == []
    assert butler.get(path).status_code == 404


def test_of_two_who_open_at_once_one_does(app: Flask, place: Place) -> None:
    place.clock.move(20 * 86_400)
    done: list[str] = []
    gate = threading.Barrier(4)

    def run() -> None:
        with app.app_context():
            gate.wait()
            try:
                session = begin_write(db.session())
                opening.open_round(session, place.lead, place.tools, place.org.centre, place.clock.now())
                session.commit()
                done.append("opened")
            except Conflict as exc:
                done.append(exc.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["opened", "round_exists", "round_exists", "round_exists"]
    assert rows(app, select(CheckRound.month).order_by(CheckRound.month)) == ["2026-11", "2026-12"]


def test_of_two_who_sign_at_once_one_does(app: Flask, place: Place) -> None:
    """Lead and operations press the button together: one report, one clear conflict."""
    with app.app_context():
        session = begin_write(db.session())
        for one in session.scalars(select(CheckItem)):
            one.state = "not_reachable"
        row = session.scalars(select(CheckRound)).one()
        session.flush()
        seen, round_id = digest(round_document(session, row)), row.id
        session.commit()
        given = {"seen": seen, **place.given, "blobs": place.rt.blobs}
        hand = Hand(place.operations.user, "别人", INK)
        begin_write(session)
        with pytest.raises(Forbidden):
            close(session, place.lead, round_id, hand=hand, **given)
        db.session.remove()
    done: list[str] = []
    gate = threading.Barrier(2)

    def run(who: Any) -> None:
        with app.app_context():
            gate.wait()
            try:
                session = begin_write(db.session())
                close(session, who, round_id, hand=Hand(who.user, "签名人", INK), **given)
                session.commit()
                done.append("closed")
            except Conflict as exc:
                done.append(exc.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(who,)) for who in (place.lead, place.operations)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["closed", "round_closed"]
    assert rows(app, select(func.count()).select_from(Paper)) == [1]
    assert rows(app, select(ChangeCase)) == []
