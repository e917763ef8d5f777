"""Two hands at once on real databases, and a run that is killed half-way."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from app.allowance import closing, preview
from app.allowance.claims import approve
from app.allowance.model import AllowanceLine, AllowanceMonth, TopupClaim
from app.kernel.db import begin_write, db
from app.kernel.errors import DomainError
from app.kernel.tenancy import SYSTEM, Principal
from app.ledger import LedgerEntry
from tests.app.allowance.conftest import MONTH


def together(app, acts):
    """Each act in a transaction of its own, all at once; sorted outcomes: `won` or the refusal's code."""
    barrier, outcomes = threading.Barrier(len(acts)), []

    def run(act):
        with app.app_context():
            barrier.wait(20)
            session = begin_write(db.session())
            try:
                act(session)
                session.commit()
                outcomes.append("won")
            except DomainError as exc:
                session.rollback()
                outcomes.append(exc.code)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return sorted(outcomes)


def _furnish(world):
    world.phone(world.org.post, "2026-01-01")
    world.holds(world.org.post, world.org.zhang, "2026-01-01")


def _count(app, model):
    with app.app_context():
        found = db.session().scalar(select(func.count()).select_from(model))
        db.session.remove()
    return found


def test_two_close_at_once(app, org, kept, tools, clock):
    kept(_furnish)
    seen = kept(lambda world: preview(world.session, SYSTEM, tools, org.centre, MONTH)[0].sha256)

    def close(session):
        closing.close_month(session, SYSTEM, tools, org.centre, MONTH, seen=seen, now=clock.now())

    assert together(app, [close, close, close]) == ["already_closed", "already_closed", "won"]
    assert (_count(app, AllowanceMonth), _count(app, AllowanceLine), _count(app, LedgerEntry)) == (1, 1, 1)


def test_two_receipts_approved_at_once_never_pass_the_cap(app, org, kept, tools, clock):
    kept(_furnish)

    def claims(world):
        for name in ("a", "b", "c"):
            world.add(
                TopupClaim(
                    centre_id=org.centre, employee_id=org.zhang, month=MONTH, paid_fen=4000, paid_on=clock.now().date(),
                    receipt_number=name, receipt_sha256=name * 64, receipt_name="r.pdf", note="", state="filed",
                    filed_by="u1", **world.stamp,
                )
            )  # fmt: skip
        return [row.id for row in world.session.scalars(select(TopupClaim))]

    ids = kept(claims)
    finance = Principal("u2", frozenset({"finance"}), frozenset({org.centre}))

    def act(claim_id):
        return lambda session: approve(
            session, finance, tools, claim_id, fen=4000, reason="", now=clock.now()
        )

    assert together(app, [act(i) for i in ids]) == ["cap_reached", "cap_reached", "won"]


def test_one_receipt_approved_by_two_at_once_is_booked_once(app, org, kept, tools, clock):
    kept(_furnish)

    def claim(world):
        return world.add(
            TopupClaim(
                centre_id=org.centre, employee_id=org.zhang, month=MONTH, paid_fen=100, paid_on=clock.now().date(),
                receipt_number=None, receipt_sha256="d" * 64, receipt_name="r.pdf", note="", state="filed",
                filed_by="u1", **world.stamp,
            )
        )  # fmt: skip

    claim_id = kept(claim)
    people = [Principal(name, frozenset({"finance"}), frozenset({org.centre})) for name in ("u2", "u3")]
    acts = [
        lambda session, who=who: approve(session, who, tools, claim_id, fen=None, reason="", now=clock.now())
        for who in people
    ]
    assert together(app, acts) == ["claim_state", "won"]
    assert _count(app, LedgerEntry) == 1


def test_killed_half_way_nothing_is_half_done(app, org, kept, tools, clock, monkeypatch):
    kept(_furnish)
    seen = kept(lambda world: preview(world.session, SYSTEM, tools, org.centre, MONTH)[0].sha256)

    def killed(*args, **kwargs):
        raise KeyboardInterrupt

    def close():
        with app.app_context():
            session = begin_write(db.session())
            try:
                closing.close_month(session, SYSTEM, tools, org.centre, MONTH, seen=seen, now=clock.now())
                session.commit()
            finally:
                db.session.remove()

    with monkeypatch.context() as patch:
        patch.setattr(closing.store, "insert_lines", killed)  # bookings are made by then
        with pytest.raises(KeyboardInterrupt):
            close()
    assert (_count(app, AllowanceMonth), _count(app, AllowanceLine), _count(app, LedgerEntry)) == (0, 0, 0)
    close()
    assert (_count(app, AllowanceMonth), _count(app, AllowanceLine), _count(app, LedgerEntry)) == (1, 1, 1)
