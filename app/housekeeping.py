"""The kernel's own jobs."""

from __future__ import annotations

from app.kernel import idempotency
from app.kernel.jobs import Job

JOBS = (Job(name="prune_idempotency", every_s=3600, run=idempotency.prune),)
