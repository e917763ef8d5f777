"""An approved request cannot be altered unseen, and nobody confirms what the lead did not sign."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update

from app.contracts import request_service, request_verifying
from app.contracts.model import Assessment, ReplacementRequest
from app.contracts.request_service import Wanted
from app.kernel.errors import Conflict
from app.papers import digest, from_plain, to_plain
from app.papers.document import Document
from app.rooms import record_checks, subject_checks


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def approved(session, kit, clock, here, assess):
    wanted = Wanted("Redmi", "13C", 99_900, {"内存": "8GB"})
    row = request_service.ask(session, kit.lead, assess().id, wanted, policies=here.policies, now=clock.now())
    return request_service.approve(session, kit.ops, row.id, keys=here.keys, now=clock.now())


@pytest.fixture
def problems(session, here):
    def found():
        session.commit()
        session.expire_all()
        return list(request_verifying.record_check(session, here.blobs, here.keys))

    return found


def test_it_is_part_of_what_is_verified(approved, problems):
    assert problems() == []
    assert request_verifying.record_check in record_checks()
    assert subject_checks()["replacement_request"] is request_verifying.check_request


@pytest.mark.parametrize(
    "change",
    [
        update(ReplacementRequest).values(price_fen=999_900),
        update(ReplacementRequest).values(approved_by="u-other"),
        update(ReplacementRequest).values(state="rejected"),
        delete(ReplacementRequest),
    ],
)
def test_every_altered_record_is_found(session, approved, problems, change):
    session.commit()
    session.execute(change)
    found = problems()
    assert found
    assert all(line.startswith("!") for line in found)


def test_another_text_with_its_own_digest_under_the_first_signature_is_confirmed_by_nobody(
    session, kit, assess, sign
):
    row = assess("keep", confirmed=False)
    session.commit()
    was = from_plain(row.document)
    other = Document("另一份", was.subtitle, was.parts)
    signed = [{**row.signatures[0], "over": digest(other)}]
    values = {"document": to_plain(other), "digest": digest(other), "signatures": signed}
    session.execute(update(Assessment).where(Assessment.id == row.id).values(values))
    session.refresh(row)
    with pytest.raises(Conflict, match="不一致"), session.begin_nested():
        sign(row, by=kit.ops)
