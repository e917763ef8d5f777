"""An open escrow, a phone with its lock filed, a gateway that reads it, and people who ask."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agent import wire
from app.audit import AuditRow
from app.commands import expire_commands
from app.escrow import keeping
from app.escrow.filing import Filed, file_secret
from app.escrow.lock_model import LockOrder
from app.escrow.lock_orders import ask_lock_check, lock_orders_of
from app.escrow.lock_results import settle_orders
from app.escrow.model import Secret
from app.kernel.db import Base, begin_write, db
from app.kernel.errors import DomainError
from app.kernel.tenancy import Principal
from app.tasks import Task
from tests.support.agents import FakeAgent, reading

PIN, NEXT_PIN = "73915468", "26841375"


@dataclass
class World:
    """An open escrow, S1 with its lock filed, a gateway that reads S1, an operator."""

    app: Any
    clock: Any
    phones: Any
    gateway: FakeAgent
    enroller: Any
    who: Principal
    secret: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def here(self) -> Any:
        return self.app.extensions["butler"]

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.app.app_context():
            session = begin_write(db.session())
            try:
                yield session
                session.commit()
            finally:
                session.rollback()
                db.session.remove()

    def file(self, text: str, *, in_force: bool = True, phone: str = "S1") -> uuid.UUID:
        with self.writing() as session:
            filed = Filed("handset", self.phones[phone], "screen_lock", text, in_force)
            secret, _ = file_secret(
                session,
                self.who,
                filed,
                vault=self.here.vault,
                policies=self.here.policies,
                now=self.clock.now(),
            )
            return secret.id

    def ask(self, what: Any = ask_lock_check, who: Principal | None = None) -> uuid.UUID:
        with self.writing() as session:
            order = what(session, who or self.who, self.secret, vault=self.here.vault, now=self.clock.now())
            return uuid.UUID(str(order.id))

    def refused(self, what: Any = ask_lock_check, who: Principal | None = None) -> str:
        with pytest.raises(DomainError) as told:
            self.ask(what, who)
        return told.value.code

    def lease(self, agent: FakeAgent | None = None) -> list[wire.Command]:
        agent = agent or self.gateway
        return agent.commands(agent.checkin(readings=[reading("S1")]))

    def texts(self, command: wire.Command) -> dict[str, str]:
        return wire.open_box(
            command.args["sealed"],
            self.gateway.sealed,
            command=command.id,
            agent=command.agent,
            serial=command.serial,
        )

    def tell(self, command: wire.Command, state: str, age_s: float = 1.0, **detail: Any) -> list[Any]:
        result = {"id": command.id, "state": state, "age_s": age_s, "detail": detail}
        answer = self.gateway.checkin(results=[result])
        assert answer.status_code == 200, answer.text
        rejected: list[Any] = answer.get_json()["rejected"]
        return rejected

    def settle(self) -> int:
        with self.writing() as session:
            expire_commands(session, self.clock.now())
            return settle_orders(session, self.clock.now())

    def order(self) -> LockOrder:
        with self.app.app_context():
            found = lock_orders_of(db.session(), self.secret)[0]
            db.session().expunge_all()
            db.session.remove()
        return found

    def stands(self) -> tuple[str, str | None, str | None]:
        order = self.order()
        return order.state, order.outcome, order.reason

    def kept(self) -> Secret:
        with self.app.app_context():
            found = db.session().get_one(Secret, self.secret)
            db.session().expunge_all()
            db.session.remove()
        return found

    def trail(self, prefix: str = "escrow.lock") -> list[tuple[str, str]]:
        with self.app.app_context():
            query = select(AuditRow.action, AuditRow.outcome).where(AuditRow.action.startswith(prefix))
            found = [(row.action, row.outcome) for row in db.session().execute(query.order_by(AuditRow.seq))]
            db.session.remove()
        return found

    def tasks(self) -> int:
        with self.app.app_context():
            query = (
                select(func.count())
                .select_from(Task)
                .where(Task.key.startswith("escrow.lock"), Task.state == "open")
            )
            found = db.session().scalar(query)
            db.session.remove()
        return found or 0


@pytest.fixture
def world(app: Any, clock: Any, phones: Any, gateway: Any, enroller: Any, as_user: Any, org: Any) -> World:
    caller = as_user("operations", org.centre)
    who = Principal(
        str(caller.user_id), frozenset({"operations"}), frozenset({org.centre}),
        rights=frozenset({("operations", org.centre)}),
    )  # fmt: skip
    made = World(app, clock, phones, gateway, enroller, who)
    with made.writing() as session:
        keeping.set_up(session, made.here.vault, None, clock.now())
    made.secret = made.file(PIN)
    gateway.checkin(readings=[reading("S1")])
    return made


def everything(app: Any) -> str:
    """Every cell of every table, as text and as bytes."""
    with app.app_context():
        cells = [
            repr(cell)
            for table in Base.metadata.sorted_tables
            for row in db.session().execute(select(table))
            for cell in row
        ]
        db.session.remove()
    return "\n".join(cells)
