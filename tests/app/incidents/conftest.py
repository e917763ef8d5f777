from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.kernel.clock import FixedClock
from tests.app.conftest import Org
from tests.app.incidents.support import Phone
from tests.app.uptime.support import add_handset


@pytest.fixture
def _handset(app: Flask, org: Org):  # type: ignore[no-untyped-def]
    return add_handset(app, org.centre, "S1")


@pytest.fixture
def phone(_handset, org: Org, session: Session, clock: FixedClock) -> Phone:  # type: ignore[no-untyped-def]
    return Phone(session, org, clock, _handset)
