"""The check of the database's shape, as the processes make it: once, and named when they start."""

from __future__ import annotations

from flask import Flask, current_app
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.kernel.db import db
from app.kernel.errors import Unavailable
from app.kernel.schema import check_schema
from app.settings import ROOT

_RIGHT = "butler_schema_right"


def require_schema(session: Session) -> None:
    """Raise `Unavailable` until it is right; from then on it is not looked at again."""
    if not current_app.extensions.get(_RIGHT):
        check_schema(session, ROOT / "migrations" / "versions")
        current_app.extensions[_RIGHT] = True


def fault_at_start(app: Flask) -> str | None:
    """Why a process cannot serve this database; None too while it cannot be reached, which `/readyz` tells."""
    with app.app_context():
        try:
            require_schema(db.session())
        except Unavailable as exc:
            return exc.detail
        except OperationalError:
            return None
        finally:
            # A connection opened here must not be shared by processes that are forked from this one.
            db.session.remove()
            db.engine.dispose()
    return None
