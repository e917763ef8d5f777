"""The server. `create_app` is all that others need of this package."""

from __future__ import annotations

from flask import Flask

from app.runtime import EXTENSION, Runtime


def create_app(runtime: Runtime | None = None) -> Flask:
    """Build the application; raise before it serves anything when settings, policies or routes are faulty."""
    from app.bootstrap import build_runtime, flask_config
    from app.http import register_http
    from app.kernel.db import db
    from app.logs import configure_logs
    from app.rooms import register_rooms

    runtime = runtime or build_runtime()
    configure_logs(runtime.settings.log_level)
    app = Flask(__name__)
    app.config.from_mapping(flask_config(runtime.settings))
    app.extensions[EXTENSION] = runtime
    runtime.settings.var_dir.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    register_http(app)
    register_rooms(app)
    return app
