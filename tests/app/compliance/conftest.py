from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.policy import PolicyFiles
from app.registry import HandsetRef
from tests.app.compliance.sending import Phones
from tests.app.conftest import Org
from tests.app.uptime.support import add_handset


@pytest.fixture
def phone(app: Flask, org: Org) -> HandsetRef:
    return HandsetRef(add_handset(app, org.centre, "S1"), org.centre, "S1", (), False)


@pytest.fixture
def files(app: Flask) -> PolicyFiles:
    return app.extensions["butler"].policies  # type: ignore[no-any-return]


@pytest.fixture
def phones(phone: HandsetRef, session: Session, files: PolicyFiles) -> Phones:
    return Phones(session, files)
