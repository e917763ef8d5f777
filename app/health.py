"""Liveness, readiness and metrics."""

from __future__ import annotations

import os

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess
from sqlalchemy import text

from app.http.access import PUBLIC, access
from app.kernel.db import db
from app.kernel.installation import check_keys
from app.runtime import runtime

health_pages = Blueprint("health", __name__)


@health_pages.get("/healthz")
@access(PUBLIC)
def healthz() -> Response:
    """The process answers; touches nothing else."""
    return jsonify({"status": "ok"})


@health_pages.get("/readyz")
@access(PUBLIC)
def readyz() -> Response:
    """The database answers and the key files belong to it; else 503 with a problem document."""
    session = db.session()
    session.execute(text("SELECT 1"))
    check_keys(session, runtime().keys)
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
