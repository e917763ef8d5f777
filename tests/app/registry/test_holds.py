"""While something holds a kit and its post, no path of the registry changes them."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.kernel.db import begin_write, db
from app.kernel.errors import Conflict
from app.kernel.tenancy import SYSTEM
from app.registry import RESOURCES, Handset, Number, Post, end_tie, hold, holds_on, kit_of, release, tie
from app.registry.importing import Importer
from app.registry.service import retire
from app.registry.sheet_read import Sheet
from app.registry.tie_service import tie_each, void_tie

CAUSE = "handover:1"
KITS, HOLDINGS = RESOURCES["kit-assignments"], RESOURCES["post-holdings"]


@pytest.fixture
def phone(session: Session, org: Any, clock: Any) -> uuid.UUID:
    return add(
        session,
        clock,
        Handset(centre_id=org.centre, asset_tag="GJ-1", serial="R58M1234567", brand="R", model="M"),
    )


@pytest.fixture
def number(session: Session, org: Any, clock: Any) -> uuid.UUID:
    return add(session, clock, Number(centre_id=org.centre, e164="+8613800005678"))


def add(session: Session, clock: Any, row: Any) -> uuid.UUID:
    row.created_at = row.updated_at = clock.now()
    session.add(row)
    session.flush()
    found: uuid.UUID = row.id
    return found


def held(session: Session, org: Any, clock: Any, *subjects: tuple[str, uuid.UUID], cause: str = CAUSE) -> Any:
    return hold(
        session, cause=cause, subjects=subjects, centre_id=org.centre, reason="岗位 P1 正在办理移交",
        link="/handovers/1", by="x", now=clock.now(),
    )  # fmt: skip


def refused(act: Callable[[], Any]) -> str:
    with pytest.raises(Conflict) as told:
        act()
    assert "/handovers/1" in told.value.detail
    return told.value.code


def test_no_tie_of_what_is_held_is_made_ended_or_voided(
    session: Session, org: Any, clock: Any, phone: uuid.UUID, number: uuid.UUID
) -> None:
    now = clock.now()
    kit = tie(session, SYSTEM, KITS, {"post_id": org.post, "handset_id": phone, "valid_from": now}, now)
    held(session, org, clock, ("handset", phone), ("post", org.post))
    clock.move(60)
    now = clock.now()
    other = {"post_id": org.post, "number_id": number, "valid_from": now}
    person = {"post_id": org.post, "employee_id": org.zhang, "valid_from": now}
    assert refused(lambda: tie(session, SYSTEM, KITS, other, now)) == "held"
    assert refused(lambda: tie_each(session, SYSTEM, KITS, other, now)) == "held"
    assert refused(lambda: tie(session, SYSTEM, HOLDINGS, person, now)) == "held"
    assert refused(lambda: end_tie(session, SYSTEM, KITS, kit.id, kit.version, now)) == "held"
    assert refused(lambda: void_tie(session, SYSTEM, KITS, kit.id, kit.version, now, reason="x")) == "held"
    # The cause itself may, e.g. the handover at its end.
    tie(session, SYSTEM, HOLDINGS, person, now, under=CAUSE)
    tie_each(session, SYSTEM, KITS, other, now, under=CAUSE)
    end_tie(session, SYSTEM, KITS, kit.id, kit.version, now, under=CAUSE)
    assert kit_of(session, org.post, now).number_ids == (number,)


def test_what_is_held_is_not_retired(
    session: Session, org: Any, clock: Any, phone: uuid.UUID, number: uuid.UUID
) -> None:
    held(session, org, clock, ("handset", phone), ("number", number), ("post", org.post))
    for name, row_id, model in (
        ("handsets", phone, Handset), ("numbers", number, Number), ("posts", org.post, Post),
    ):  # fmt: skip
        version = session.get_one(model, row_id).version
        resource = RESOURCES[name]
        assert refused(lambda: retire(session, SYSTEM, resource, row_id, version, clock.now())) == "held"  # noqa: B023
    release(session, CAUSE, clock.now())
    retire(session, SYSTEM, RESOURCES["handsets"], phone, 1, clock.now())


def test_an_import_passes_no_hold(
    session: Session, org: Any, clock: Any, phone: uuid.UUID, number: uuid.UUID
) -> None:
    now = clock.now()
    tie(session, SYSTEM, KITS, {"post_id": org.post, "handset_id": phone, "valid_from": now}, now)
    held(session, org, clock, ("handset", phone), ("post", org.post))
    clock.move(86_400)
    head = ["服务中心编码", "岗位编码", "手机序列号", "手机号", "微信昵称", "开始时间", "结束时间"]
    start = "2026-11-22T10:00:00+08:00"
    rows = [
        (1, head),
        (2, ["C1", "P1", "R58M1234567", None, None, start, "2026-11-23T09:00:00+08:00"]),
        (3, ["C1", "P1", None, "13800005678", None, start, None]),
    ]
    sheet = Sheet("岗位配置", iter(rows))
    outcome = Importer(session, SYSTEM, KITS, clock.now()).run(sheet)
    assert (outcome.created, outcome.changed) == (0, 0)
    assert {(p.row, p.code): p.message for p in outcome.problems}.keys() == {(2, "held"), (3, "held")}


def test_one_cause_at_a_time_and_each_may_say_it_again(
    session: Session, org: Any, clock: Any, phone: uuid.UUID, number: uuid.UUID
) -> None:
    first = held(session, org, clock, ("handset", phone))
    again = held(session, org, clock, ("handset", phone), ("number", number))
    assert {row.id for row in first} < {row.id for row in again}
    assert (
        refused(lambda: held(session, org, clock, ("number", number), ("post", org.post), cause="other"))
        == "held"
    )
    assert holds_on(session, [("post", org.post)]) == []
    assert release(session, CAUSE, clock.now()) == 2
    assert release(session, CAUSE, clock.now()) == 0
    held(session, org, clock, ("number", number), cause="other")


def test_two_causes_in_the_same_moment(app: Flask, org: Any, clock: Any) -> None:
    """One holds it, the other is told."""
    with app.app_context():
        session = begin_write(db.session())
        phone = add(
            session,
            clock,
            Handset(centre_id=org.centre, asset_tag="GJ-1", serial="R58M1234567", brand="R", model="M"),
        )
        session.commit()
        db.session.remove()
    gate, codes = threading.Barrier(2), []

    def run(cause: str) -> None:
        with app.app_context():
            gate.wait()
            session = begin_write(db.session())
            try:
                held(session, org, clock, ("handset", phone), ("post", org.post), cause=cause)
                session.commit()
                codes.append("")
            except Conflict as exc:
                session.rollback()
                codes.append(exc.code)
            db.session.remove()

    threads = [threading.Thread(target=run, args=(cause,)) for cause in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["", "held"]
