from __future__ import annotations

from app.compliance.exemption_service import sweep
from app.kernel.jobs import Job

JOBS = (Job(name="end_exemptions", every_s=60, run=sweep),)
