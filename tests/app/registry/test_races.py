"""Two writers at once on a real database: one wins, the other gets a conflict that names the field."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from flask import Flask

from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.kernel.tenancy import SYSTEM
from app.registry.catalogue import HANDSETS, WECHAT_ACCOUNTS
from app.registry.service import change, create
from tests.app.registry.test_api import IMEI_1, handset


def together(app: Flask, acts: list[Callable[[Any], Any]]) -> list[str]:
    """Run each act in a transaction of its own, all at once; sorted outcomes: `won` or code and fields."""
    barrier = threading.Barrier(len(acts))
    outcomes: list[str] = []

    def run(act: Callable[[Any], Any]) -> None:
        with app.app_context():
            barrier.wait(20)
            session = begin_write(db.session())
            try:
                act(session)
                session.commit()
                outcomes.append("won")
            except DomainError as exc:
                session.rollback()
                outcomes.append(" ".join([exc.code, *(f.field for f in exc.fields)]))
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return sorted(outcomes)


def test_one_of_two_registers_a_serial(app: Flask, org: Any, clock: Any) -> None:
    def register(place: int) -> Callable[[Any], Any]:
        values = handset(org, centre_id=org.centre, asset_tag=f"A{place}", imei1=None, imei2=None)
        return lambda session: create(session, SYSTEM, HANDSETS, values, clock.now())

    assert together(app, [register(i) for i in range(4)]) == ["taken serial"] * 3 + ["won"]


def test_one_of_two_registers_an_imei(app: Flask, org: Any, clock: Any) -> None:
    def register(place: int) -> Callable[[Any], Any]:
        slots = {"imei1": IMEI_1, "imei2": None} if place % 2 else {"imei1": None, "imei2": IMEI_1}
        values = handset(org, centre_id=org.centre, asset_tag=f"A{place}", serial=f"S000{place}", **slots)
        return lambda session: create(session, SYSTEM, HANDSETS, values, clock.now())

    outcomes = together(app, [register(i) for i in range(4)])
    assert outcomes.count("won") == 1
    assert all(o.startswith("taken imei") for o in outcomes if o != "won")


def test_one_of_two_takes_a_nickname(app: Flask, org: Any, clock: Any) -> None:
    def register(centre: Any) -> Callable[[Any], Any]:
        values = {"centre_id": centre, "nickname": "小新"}
        return lambda session: create(session, SYSTEM, WECHAT_ACCOUNTS, values, clock.now())

    outcomes = together(app, [register(org.centre), register(org.other_centre)])
    assert outcomes == ["taken nickname", "won"]


def test_one_of_two_changes_the_version_that_both_saw(app: Flask, org: Any, clock: Any) -> None:
    with app.app_context():
        session = begin_write(db.session())
        row_id = create(session, SYSTEM, HANDSETS, handset(org, centre_id=org.centre), clock.now()).id
        session.commit()
        db.session.remove()

    def write(text: str) -> Callable[[Any], Any]:
        return lambda session: change(session, SYSTEM, HANDSETS, row_id, 1, {"note": text}, clock.now())

    assert together(app, [write("a"), write("b"), write("c")]) == ["stale_version"] * 2 + ["won"]
