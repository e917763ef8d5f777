"""Whether the time of an answer tells anything: right and wrong guesses of a password, names that exist and do not.

Both kinds are asked in an order drawn at random, so that whatever else the machine does meets both alike, and what is
taken is the processor's time, in which a neighbour's work does not count. What is told is how often one kind takes
longer than the other (Mann and Whitney's U, as a share): 0.5 is no difference.
"""

from __future__ import annotations

import random
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from app import create_app
from app.bootstrap import build_runtime
from app.escrow import Filed, file_secret
from app.escrow.checking import check
from app.escrow.keeping import set_up
from app.kernel.clock import SystemClock
from app.kernel.db import Base, begin_write, db
from app.kernel.installation import initialise
from app.kernel.keys import KeyStore
from app.kernel.tenancy import SYSTEM
from app.people import By, UserInput, check_password, create_user, set_known_password
from app.registry import Company, District, Handset, ServiceCentre
from app.settings import load_settings

_PIN = "739154"
_LOGIN, _PASSWORD = "wang", "heima-yuchuan-77"


def run(checks: int, sign_ins: int, seed: int) -> dict[str, float]:
    """Shares of "the second kind took longer"; each kind is asked so many times."""
    with tempfile.TemporaryDirectory() as folder, _made(Path(folder)) as (app, secret):
        vault, now = app.extensions["butler"].vault, SystemClock().now()

        def guess(typed: str) -> None:
            session = begin_write(db.session())
            check(session, SYSTEM, secret, typed, vault=vault, now=now)
            session.flush()
            session.rollback()

        def enter(login: str, password: str) -> None:
            check_password(db.session(), login, password)
            db.session.rollback()

        draw = random.Random(seed)
        return {
            "wrong_against_right_guess": _share(lambda: guess(_PIN), lambda: guess("268413"), checks, draw),
            "far_against_near_guess": _share(lambda: guess("739155"), lambda: guess("x" * 40), checks, draw),
            "unknown_against_known_login": _share(
                lambda: enter(_LOGIN, "wrong-word-11"),
                lambda: enter("nobody", "wrong-word-11"),
                sign_ins,
                draw,
            ),
        }


def superiority(first: list[float], second: list[float]) -> float:
    """How often one of `second` is larger than one of `first`, ties counting half."""
    both = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks, place = 0.0, 0
    while place < len(both):
        end = place
        while end < len(both) and both[end][0] == both[place][0]:
            end += 1
        middle = (place + 1 + end) / 2
        ranks += middle * sum(kind for _, kind in both[place:end])
        place = end
    return (ranks - len(second) * (len(second) + 1) / 2) / (len(first) * len(second))


def _share(first: Callable[[], None], second: Callable[[], None], number: int, draw: random.Random) -> float:
    order = [0, 1] * number
    draw.shuffle(order)
    for act in (first, second):
        act()
    spent: tuple[list[float], list[float]] = ([], [])
    for kind in order:
        begun = time.process_time()
        (first, second)[kind]()
        spent[kind].append(time.process_time() - begun)
    return round(superiority(*spent), 3)


@contextmanager
def _made(folder: Path) -> Iterator[tuple[Flask, uuid.UUID]]:
    settings = load_settings(
        {"BUTLER_ENV": "test", "BUTLER_VAR_DIR": str(folder), "BUTLER_LOG_LEVEL": "ERROR"}
    )
    app = create_app(build_runtime(settings))
    with app.app_context():
        Base.metadata.create_all(db.engine)
        session, now, here = begin_write(db.session()), SystemClock().now(), app.extensions["butler"]
        stamp = {"created_at": now, "updated_at": now}
        initialise(session, KeyStore(settings.key_dir, may_create=True), now)
        company = Company(name="示例物业", **stamp)
        session.add(company)
        session.flush()
        district = District(company_id=company.id, code="D", name="大区", **stamp)
        session.add(district)
        session.flush()
        centre = ServiceCentre(district_id=district.id, code="C", name="服务中心", **stamp)
        session.add(centre)
        session.flush()
        phone = Handset(
            centre_id=centre.id, asset_tag="T1", serial="T1", brand="B", model="M", specification={}, **stamp
        )
        session.add(phone)
        session.flush()
        user, _ = create_user(session, UserInput(_LOGIN, "王小明"), By("bench", now))
        set_known_password(session, user, _PASSWORD, now)
        set_up(session, here.vault, None, now)
        filed = Filed("handset", phone.id, "screen_lock", _PIN, in_force=True)
        secret, _ = file_secret(session, SYSTEM, filed, vault=here.vault, policies=here.policies, now=now)
        secret_id = secret.id
        session.commit()
        yield app, secret_id
        db.session.remove()
        db.engine.dispose()
