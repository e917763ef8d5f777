"""The registry's scheduled work."""

from __future__ import annotations

from app.kernel.jobs import Job
from app.registry.import_service import forget_uploads

JOBS = (Job(name="forget_uploads", every_s=3600, run=forget_uploads),)
