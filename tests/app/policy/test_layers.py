"""Layers over the policy files: what holds where, who may write it, and that nothing invalid is stored."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import verify
from app.audit.model import AuditRow
from app.kernel.db import begin_write, db
from app.kernel.errors import Forbidden, Invalid, NotFound, Stale, Unavailable
from app.kernel.tenancy import SYSTEM, Principal
from app.policy import (
    LayerInput,
    PolicyFiles,
    effective,
    effective_many,
    layer_problems,
    layer_versions,
    put_layer,
)
from app.policy.model import PolicyLayer
from app.policy.rules import patch, stack
from app.registry.model import District
from tests.app.conftest import START, Org


@pytest.fixture
def files(app: Flask) -> PolicyFiles:
    return app.extensions["butler"].policies  # type: ignore[no-any-return]


def put(
    session: Session,
    files: PolicyFiles,
    scope: Any,
    scope_id: uuid.UUID,
    body: dict[str, Any],
    version: int = 0,
    who: Principal = SYSTEM,
    subject: str = "uptime",
) -> PolicyLayer:
    layer = LayerInput(subject, scope, scope_id, body, "试行")
    return put_layer(session, who, files, layer, expected_version=version, now=START)


def test_merge_patch_as_in_the_rfc() -> None:
    """The example of RFC 7396, section 3."""
    body = {
        "title": "Goodbye!",
        "author": {"givenName": "John", "familyName": "Doe"},
        "tags": ["example", "sample"],
        "content": "This will be unchanged",
    }
    layer = {
        "title": "Hello!",
        "phoneNumber": "+01-123-456-7890",
        "author": {"familyName": None},
        "tags": ["example"],
    }
    assert patch(body, layer) == {
        "title": "Hello!",
        "author": {"givenName": "John"},
        "tags": ["example"],
        "content": "This will be unchanged",
        "phoneNumber": "+01-123-456-7890",
    }
    assert body["author"] == {"givenName": "John", "familyName": "Doe"}


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=8,
)
_object = st.dictionaries(st.sampled_from("abc"), _json, max_size=3)


@given(_object, _object)
def test_a_layer_twice_is_the_layer_once(body: dict[str, Any], layer: dict[str, Any]) -> None:
    assert stack(body, [layer, layer]) == stack(body, [layer])
    assert stack(body, [{}]) == body


def test_without_layers_the_file_holds(session: Session, org: Org, files: PolicyFiles) -> None:
    assert effective(session, files, "uptime", org.centre) == files.latest("uptime")


def test_the_centres_layer_lies_over_the_districts(session: Session, org: Org, files: PolicyFiles) -> None:
    put(session, files, "district", org.district, {"fresh_minutes": 20, "strikes": 3})
    put(session, files, "centre", org.centre, {"fresh_minutes": 30})
    here, there = (effective(session, files, "uptime", c) for c in (org.centre, org.other_centre))
    assert (here.body["fresh_minutes"], here.body["strikes"]) == (30, 3)
    assert (there.body["fresh_minutes"], there.body["strikes"]) == (20, 3)
    assert len({here.sha256, there.sha256, files.latest("uptime").sha256}) == 3


def test_an_empty_layer_lifts_it(session: Session, org: Org, files: PolicyFiles) -> None:
    put(session, files, "centre", org.centre, {"fresh_minutes": 30})
    put(session, files, "centre", org.centre, {}, version=1)
    assert effective(session, files, "uptime", org.centre).sha256 == files.latest("uptime").sha256


def test_the_same_policy_by_another_way_has_the_same_sha(
    session: Session, org: Org, files: PolicyFiles
) -> None:
    put(session, files, "centre", org.centre, {"strikes": 3, "fresh_minutes": 30})
    put(session, files, "centre", org.other_centre, {"fresh_minutes": 30, "strikes": 3})
    found = effective_many(session, files, "uptime", [org.centre, org.other_centre])
    assert found[org.centre].sha256 == found[org.other_centre].sha256


@pytest.mark.parametrize(
    "body",
    [{"fresh_minutes": "30"}, {"fresh_minutes": 0}, {"fresh_minute": 30}, {"rule": None}, {"rule": "R03"}],
)
def test_what_would_be_no_policy_is_refused(
    session: Session, org: Org, files: PolicyFiles, body: dict[str, Any]
) -> None:
    with pytest.raises(Invalid) as refused:
        put(session, files, "centre", org.centre, body)
    assert refused.value.fields[0].field == "body"
    assert session.scalars(select(PolicyLayer)).all() == []


def test_a_districts_layer_must_fit_under_its_centres(session: Session, org: Org, files: PolicyFiles) -> None:
    """The centre names a package for an app; the district takes the app away: half an app would be left."""
    put(
        session,
        files,
        "centre",
        org.centre,
        {"apps": {"助这儿": {"package": "com.x.y"}}},
        subject="allowlist",
    )
    with pytest.raises(Invalid):
        put(session, files, "district", org.district, {"apps": {"助这儿": None}}, subject="allowlist")
    put(session, files, "district", org.district, {"apps": {"易企秀": None}}, subject="allowlist")
    apps = effective(session, files, "allowlist", org.centre).body["apps"]
    assert apps["助这儿"] == {"package": "com.x.y", "required": True}
    assert "易企秀" not in apps


def test_a_stale_writer_is_told(session: Session, org: Org, files: PolicyFiles) -> None:
    put(session, files, "centre", org.centre, {"fresh_minutes": 30})
    for seen in (0, 2):
        with pytest.raises(Stale):
            put(session, files, "centre", org.centre, {"fresh_minutes": 40}, version=seen)
    assert put(session, files, "centre", org.centre, {"fresh_minutes": 40}, version=1).version == 2


def test_two_writers_at_once_one_wins(app: Flask, org: Org, files: PolicyFiles) -> None:
    outcomes: list[str] = []
    gate = threading.Barrier(2)

    def write(minutes: int) -> None:
        with app.app_context():
            session = begin_write(db.session()) if "postgresql" in str(db.engine.url) else db.session()
            gate.wait()
            if session.get_bind().dialect.name == "sqlite":
                begin_write(session)
            try:
                put(session, files, "centre", org.centre, {"fresh_minutes": minutes})
                session.commit()
                outcomes.append("written")
            except Stale:
                session.rollback()
                outcomes.append("stale")
            finally:
                db.session.remove()

    threads = [threading.Thread(target=write, args=(m,)) for m in (20, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["stale", "written"]


def test_who_may_write(session: Session, org: Org, files: PolicyFiles) -> None:
    lead = Principal("lead", frozenset({"operations"}), frozenset({org.centre}))
    put(session, files, "centre", org.centre, {"fresh_minutes": 30}, who=lead)
    with pytest.raises(NotFound):
        put(session, files, "centre", org.other_centre, {"fresh_minutes": 30}, who=lead)
    with pytest.raises(Forbidden):
        put(session, files, "district", org.district, {"fresh_minutes": 30}, who=lead)
    with pytest.raises(NotFound):
        put(session, files, "centre", uuid.uuid4(), {"fresh_minutes": 30})
    with pytest.raises(NotFound):
        put(session, files, "centre", org.district, {"fresh_minutes": 30})
    with pytest.raises(NotFound):
        put(session, files, "centre", org.centre, {}, subject="weather")


def test_who_may_read_what_a_district_says(session: Session, org: Org, files: PolicyFiles) -> None:
    """Whose centre lies in it. Another district's reasons name phones and people."""
    stamp = {"created_at": START, "updated_at": START}
    company = session.get_one(District, org.district).company_id
    elsewhere = District(company_id=company, code="HB", name="华北大区", **stamp)
    session.add(elsewhere)
    session.flush()
    for district in (org.district, elsewhere.id):
        put(session, files, "district", district, {"fresh_minutes": 30})
    lead = Principal("lead", frozenset({"operations"}), frozenset({org.centre}))
    assert len(layer_versions(session, lead, files, "uptime", "district", org.district)) == 1
    assert len(layer_versions(session, SYSTEM, files, "uptime", "district", elsewhere.id)) == 1
    with pytest.raises(NotFound):
        layer_versions(session, lead, files, "uptime", "district", elsewhere.id)


def test_writing_is_audited(session: Session, org: Org, files: PolicyFiles) -> None:
    put(session, files, "centre", org.centre, {"fresh_minutes": 30})
    session.commit()
    [event] = session.scalars(select(AuditRow).where(AuditRow.action == "policy.layer_put"))
    assert (event.centre_id, event.reason) == (org.centre, "试行")
    assert verify(session).problem is None


def test_a_stored_layer_that_fits_no_more(session: Session, org: Org, files: PolicyFiles, app: Flask) -> None:
    """As after an upgrade that renames a number: nothing is ruled by half a policy, and the check names it."""
    assert layer_problems(session, files) == []
    session.add(
        PolicyLayer(
            subject="uptime", scope="centre", scope_id=org.centre, version=1, body={"gone": 1}, reason="",
            created_by="x", created_at=START,
        )
    )  # fmt: skip
    session.flush()
    with pytest.raises(Unavailable):
        effective(session, files, "uptime", org.centre)
    [problem] = layer_problems(session, files)
    assert str(org.centre) in problem
    session.commit()
    result = app.test_cli_runner().invoke(args=["policies", "check"])
    assert result.exit_code == 1
    assert "gone" in result.stderr


def test_the_check_passes_and_names_each_policy(app: Flask, files: PolicyFiles) -> None:
    result = app.test_cli_runner().invoke(args=["policies", "check"])
    assert result.exit_code == 0, result.output
    for subject in files.subjects:
        assert (
            f"{subject} v{files.latest(subject).version} sha256:{files.latest(subject).sha256}"
            in result.output
        )


def test_an_unknown_centre_has_no_policy(session: Session, files: PolicyFiles) -> None:
    assert effective_many(session, files, "uptime", [uuid.uuid4()]) == {}
    with pytest.raises(NotFound):
        effective(session, files, "uptime", uuid.uuid4())


def test_layers_are_kept_as_history(session: Session, org: Org, files: PolicyFiles) -> None:
    put(session, files, "centre", org.centre, {"fresh_minutes": 30})
    put(session, files, "centre", org.centre, {"fresh_minutes": 40}, version=1)
    rows = session.scalars(select(PolicyLayer).order_by(PolicyLayer.version)).all()
    assert [(row.version, row.body["fresh_minutes"]) for row in rows] == [(1, 30), (2, 40)]
    assert all(row.created_at == START - dt.timedelta(0) for row in rows)
