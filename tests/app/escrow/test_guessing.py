"""Filing tells whether a text is the one in force: it is noted, and no way around the few tries of a day."""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy import select

from app.audit import AuditRow
from app.escrow import filing
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.kernel.tenancy import SYSTEM
from tests.app.escrow.conftest import PIN
from tests.app.escrow.test_flow import file_pin, path_of, rows_of


def test_who_files_what_is_in_force_is_in_the_trail(app: Any, kit: Any, at_desk: Any) -> None:
    desk = at_desk()
    path_of(file_pin(desk, kit))
    answer = file_pin(desk, kit, in_force="")
    assert answer.status_code == 422
    assert "相同" in answer.text
    found = rows_of(
        app,
        select(AuditRow.outcome, AuditRow.actor, AuditRow.reason).where(
            AuditRow.action == "escrow.file_same"
        ),
    )
    assert [tuple(row) for row in found] == [("refused", str(desk.user_id), "")]


def test_a_pin_is_not_found_by_filing(app: Any, kit: Any, at_desk: Any) -> None:
    desk = at_desk("it")
    secret = path_of(file_pin(desk, kit))
    guesses = ["268413", "951736", "306825", "748291", "517392", "829461", "640285", PIN]
    answers = [file_pin(desk, kit, guess, in_force="") for guess in guesses]
    assert [a.status_code for a in answers] == [303] * 5 + [409] * 3, "the first filing counts too"
    assert "相同" not in answers[-1].text, "it is not said of the right one either"
    other = at_desk("lead")
    assert file_pin(other, kit, "628417", in_force="").status_code == 409, "counted for the secret"
    desk.post(f"{secret}/drop")
    assert file_pin(desk, kit, PIN, in_force="").status_code == 409, "what was dropped was a guess too"
    desk.clock.move(86400)
    again = at_desk("operations", login="next-day")
    assert file_pin(again, kit, "628417", in_force="").status_code == 303


def test_many_guesses_at_once_are_no_more_than_one_after_the_other(app: Any, kit: Any, at_desk: Any) -> None:
    desk = at_desk()
    path_of(file_pin(desk, kit))
    guesses = [
        "268413",
        "951736",
        "306825",
        "748291",
        "517392",
        "829461",
        "640285",
        "395172",
        "720584",
        "163947",
    ]
    barrier, refused = threading.Barrier(len(guesses)), []

    def guess(pin: str) -> None:
        with app.app_context():
            here = app.extensions["butler"]
            barrier.wait(20)
            session = begin_write(db.session())
            try:
                filed = filing.Filed("handset", kit.phone, "screen_lock", pin, False)
                filing.file_secret(
                    session, SYSTEM, filed, vault=here.vault, policies=here.policies, now=here.clock.now()
                )
                session.commit()
            except DomainError as exc:
                session.rollback()
                refused.append(exc.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=guess, args=(pin,)) for pin in guesses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert refused == ["filed_too_often"] * 5
