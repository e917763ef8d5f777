"""Liveness, readiness and metrics."""

from __future__ import annotations

import os

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess
from sqlalchemy import text

from app.escrow import check_keyring
from app.http.access import PUBLIC, access
from app.kernel.db import db
from app.kernel.installation import check_keys
from app.runtime import runtime
from app.shape import require_schema

health_pages = Blueprint("health", __name__)


@health_pages.get("/healthz")
@access(PUBLIC)
def healthz() -> Response:
    """The process answers; touches nothing else."""
    return jsonify({"status": "ok"})


@health_pages.get("/readyz")
@access(PUBLIC)
def readyz() -> Response:
    """The database answers, has this version's tables, and the key files are its own; else 503 with a problem document.

    So does a keyring that is older than the database, or another's: a balancer takes such a process out.
    """
    session = db.session()
    session.execute(text("SELECT 1"))
    require_schema(session)
    check_keys(session, runtime().keys)
    check_keyring(session, runtime().vault)
    return jsonify({"status": "ready"})


@health_pages.get("/metrics")
@access(PUBLIC)
def metrics() -> Response:
    """Prometheus text; holds counts only, no names."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        # Several workers each count for themselves (gunicorn.conf.py); one's counts alone would jump about.
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
