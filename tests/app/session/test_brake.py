"""Guessing is slowed down, and no stranger's guessing keeps anybody out who was let in before."""

from __future__ import annotations

import dataclasses
import threading

from sqlalchemy import select

from app.kernel.db import db
from app.people.key_model import SignInBrake
from tests.app.session.conftest import browser_of


def test_after_five_wrong_ones_one_waits_longer_and_longer(app, person, clock):
    wang = person()
    stranger = dataclasses.replace(wang, client=browser_of(app), password="wrong-guess-00")
    assert [stranger.sign_in().status_code for _ in range(5)] == [401] * 5
    braked = stranger.sign_in()
    assert (braked.status_code, braked.headers["Retry-After"]) == (429, "6")
    assert stranger.sign_in(password=wang.password).status_code == 429, "the right one is not even looked at"
    waits = []
    for _ in range(9):
        clock.move(int(stranger.sign_in().headers["Retry-After"]))
        assert stranger.sign_in().status_code == 401
        waits.append(int(stranger.sign_in().headers["Retry-After"]))
    assert waits == [11, 21, 41, 81, 161, 321, 641, 901, 901]


def test_a_browser_that_was_let_in_before_is_not_kept_out_by_strangers(app, person, clock):
    wang = person()
    wang.sign_in()
    wang.post("/session/end")
    stranger = dataclasses.replace(wang, client=browser_of(app), password="wrong-guess-00")
    while stranger.sign_in().status_code == 401:
        pass
    assert stranger.sign_in(password=wang.password).status_code == 429
    assert wang.sign_in().status_code == 303
    assert wang.inside()


def test_anothers_known_browser_is_a_strange_one_for_me(app, person, clock):
    li = person(login="li")
    li.sign_in()
    li.post("/session/end")
    person(login="zhao")
    for _ in range(5):
        assert li.sign_in(login="zhao", password="wrong-guess-00").status_code == 401
    assert li.sign_in(login="zhao", password="wrong-guess-00").status_code == 429
    assert li.sign_in().status_code == 303, "at his own account this browser is known"


def test_many_names_from_one_address_are_slowed_down_as_one(app, person):
    stranger = dataclasses.replace(person(), client=browser_of(app), password="wrong-guess-00")
    answers = [stranger.sign_in(login=f"user{n}").status_code for n in range(31)]
    assert answers == [401] * 30 + [429]


def test_the_right_password_forgets_what_was_counted(app, person):
    wang = person()
    for _ in range(4):
        wang.sign_in(password="wrong-guess-00")
    assert wang.sign_in().status_code == 303
    with app.app_context():
        kinds = {row.key.partition(":")[0]: row.failures for row in db.session.scalars(select(SignInBrake))}
        db.session.remove()
    assert kinds == {"address": 4}


def test_old_failures_are_forgotten(app, person, clock):
    wang = person()
    for _ in range(5):
        wang.sign_in(password="wrong-guess-00")
    clock.move(25 * 3600)
    assert [wang.sign_in(password="wrong-guess-00").status_code for _ in range(2)] == [401, 401]


def test_codes_of_the_second_step_are_counted(app, person, clock):
    wang = person("lead")
    wang.sign_in()
    wang.enrol()
    thief = dataclasses.replace(wang, client=browser_of(app))
    thief.sign_in()
    assert [thief.post("/enter/code", code="000000").status_code for _ in range(6)] == [401] * 5 + [429]
    again = dataclasses.replace(wang, client=browser_of(app))
    again.sign_in()
    assert again.post("/enter/code", code="000000").status_code == 429, "counted by person, not by session"


def test_guesses_sent_at_once_are_no_more_than_one_after_the_other(app, person):
    person()
    answers: list[int] = []

    def guess() -> None:
        client = browser_of(app)
        data = {"login": "wang", "password": "wrong-guess-00"}
        answer = client.post(
            "/session", data=data, headers={"Origin": "http://127.0.0.1"}, base_url="http://127.0.0.1"
        )
        answers.append(answer.status_code)

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (answers.count(401), answers.count(429)) == (5, 7)
