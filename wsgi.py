"""Entry point of the production server: `gunicorn wsgi:app`, and of `flask`."""

from __future__ import annotations

import sys

from app import create_app
from app.kernel.errors import Unavailable
from app.policy import PolicyError
from app.settings import SettingsError

try:
    app = create_app()
except (SettingsError, PolicyError, Unavailable) as exc:
    sys.stderr.write(f"无法启动 / cannot start:\n{exc}\n")
    # 1: what `flask policies check` promises for faulty policies, of which it gets no further than this.
    sys.exit(1 if isinstance(exc, PolicyError) else 2)
