"""What was decided of a phone, and what wages paid for it, cannot be altered unseen."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update

from app.audit import AuditRow
from app.hardware import verifying
from app.hardware.model import DeductionOrder, HardwareCase, Instalment
from app.kernel.errors import Forbidden
from app.rooms import record_checks, subject_checks
from tests.app.hardware.steps import Way


@pytest.fixture
def database_url(one_database):
    return one_database


@pytest.fixture
def way(place, session, tools, photo):
    return Way(session, tools, place, photo)


@pytest.fixture
def problems(place, session, tools):
    def found():
        session.commit()
        session.expire_all()
        return list(verifying.record_check(session, tools.blobs, tools.keys))

    return found


@pytest.fixture
def paid(way):
    """Two months were taken of an order, after an appeal that was dismissed."""
    way.deducting()
    way.appeal()
    way.decide(allow=False)
    way.later(20)
    way.take("2026-11", 5_000)
    way.take("2026-12", 4_000)
    return way


def test_it_is_part_of_what_is_verified(paid, problems):
    assert problems() == []
    assert verifying.record_check in record_checks()
    assert subject_checks()["hardware_case"] is verifying.check_case


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (update(HardwareCase).values(finding="他自己承认的"), "认定"),
        (update(HardwareCase).values(statement="我赔"), "认定"),
        (update(HardwareCase).values(photos=["0" * 64]), "认定"),
        (update(HardwareCase).values(policy_body={"price": "invoice"}), "认定"),
        (update(HardwareCase).values(appeal="none"), "申诉的结果"),
        (update(HardwareCase).values(appeal="allowed", payer="centre"), "申诉的结果"),
        (update(HardwareCase).values(appeal_decision="没有理由"), "申诉"),
        (update(HardwareCase).values(payer="centre"), "由谁承担"),
        (update(DeductionOrder).values(amount_fen=900_000), "扣款单"),
        (update(DeductionOrder).values(monthly_fen=90_000), "扣款单"),
        (update(DeductionOrder).values(taken_fen=0), "已扣的金额"),
        (update(Instalment).where(Instalment.month == "2026-12").values(taken_fen=1), "已扣的金额"),
        (delete(Instalment).where(Instalment.month == "2026-12"), "已扣的金额"),
        (update(Instalment).values(reversal_id=Instalment.entry_id), "退回的金额"),
    ],
)
def test_every_altered_decision_and_every_altered_fen_is_found(paid, session, problems, change, words):
    session.execute(change)
    found = problems()
    assert found
    assert words in "".join(found)
    assert all(line.startswith("!") for line in found)


def test_an_order_or_a_case_that_was_taken_away_is_found(paid, session, problems):
    session.execute(delete(Instalment))
    session.execute(delete(DeductionOrder))
    assert "扣款单不在了" in "".join(problems())


def test_what_was_given_back_is_right_too(way, problems):
    way.deducting(kind="loss")
    way.later(20)
    way.take("2026-11", 5_000)
    way.find()
    assert problems() == []


def test_an_appeal_that_was_allowed_is_right_too(way, problems):
    way.deducting()
    way.appeal()
    way.decide(allow=True)
    assert problems() == []


def test_erased_details_are_told_as_unknown(paid, session, problems):
    session.commit()
    session.execute(
        update(AuditRow).where(AuditRow.action == "hardware.judge").values(details=None, salt=None)
    )
    assert [line[0] for line in problems()] == ["?"]


def test_nobody_finds_the_phone_that_he_pays_for(way, place):
    way.deducting(kind="loss")
    himself = type(place.it)(place.it.user, place.it.roles, place.it.centres, place.org.zhang)
    with pytest.raises(Forbidden) as refusal:
        way.find(by=himself)
    assert refusal.value.code == "own_case"
