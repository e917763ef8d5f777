"""Entry point of the production server: `gunicorn wsgi:app`, and of `flask`."""

from __future__ import annotations

import os
import sys

from app import create_app
from app.kernel.errors import Unavailable
from app.policy import PolicyError
from app.settings import SettingsError
from app.shape import fault_at_start

try:
    app = create_app()
except (SettingsError, PolicyError, Unavailable) as exc:
    sys.stderr.write(f"无法启动 / cannot start:\n{exc}\n")
    # 1: what `flask policies check` promises for faulty policies, of which it gets no further than this.
    sys.exit(1 if isinstance(exc, PolicyError) else 2)

# The command line must start with a database of any shape: it is what mends it.
if os.environ.get("FLASK_RUN_FROM_CLI") != "true" and (_fault := fault_at_start(app)):
    sys.stderr.write(f"无法启动 / cannot start:\n{_fault}\n")
    sys.exit(2)
