"""Of two who act on one row at once, one wins and the other is told."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.kernel.db import begin_write, db
from app.kernel.errors import Conflict
from app.kernel.moving import change_if
from app.registry import Employee
from tests.app.conftest import Org

LATE = Conflict("somebody was faster")


def _read(app: Flask, org: Org) -> tuple[Session, Any]:
    session = Session(db.engine)
    row = session.get(Employee, org.zhang)
    assert row is not None
    session.expunge(row)
    session.rollback()
    session.add(row)
    return session, row


def test_the_second_of_two_who_saw_the_same_is_told_and_changes_nothing(app: Flask, org: Org) -> None:
    with app.app_context():
        (first, hers), (second, his) = _read(app, org), _read(app, org)
        change_if(begin_write(first), hers, ("version",), LATE, version=hers.version + 1, name="张三丰")
        assert hers.name == "张三丰"
        first.commit()
        with pytest.raises(Conflict, match="faster"):
            change_if(begin_write(second), his, ("version",), LATE, version=2, name="别人")
        second.rollback()
        with Session(db.engine) as after:
            row = after.get(Employee, org.zhang)
            assert row is not None
            assert row.name == "张三丰"
        first.close()
        second.close()
