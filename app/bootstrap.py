"""Builds every concrete object of the server, once."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping

from app.escrow import Vault
from app.kernel.blobs import BlobStore
from app.kernel.clock import Clock, SystemClock
from app.kernel.keys import KeyStore
from app.policy import PolicyFiles
from app.runtime import Runtime
from app.settings import Settings, load_settings


def build_runtime(settings: Settings | None = None, clock: Clock | None = None) -> Runtime:
    """Raise `SettingsError` or `PolicyError`, each with all its problems, or `Unavailable` for a missing key."""
    settings = settings or load_settings(os.environ)
    # The access token and the cookie key may be made at any start: losing them signs people out and harms no record.
    makeable = KeyStore(settings.key_dir, may_create=True)
    return Runtime(
        settings=settings,
        clock=clock or SystemClock(),
        keys=KeyStore(settings.key_dir, may_create=False),
        blobs=BlobStore(settings.blob_dir),
        policies=PolicyFiles(settings.policy_dir),
        vault=Vault(settings.escrow_dir, settings.escrow_root_file, settings.escrow_root),
        access_token=settings.access_token or _text(makeable.secret("access")),
    )


def session_key(settings: Settings) -> str:
    return settings.secret_key or _text(KeyStore(settings.key_dir, may_create=True).secret("session"))


def flask_config(settings: Settings) -> Mapping[str, object]:
    secure = bool(settings.public_url and settings.public_url.startswith("https://"))
    return {
        "SECRET_KEY": session_key(settings),
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": {"pool_pre_ping": True, "hide_parameters": True},
        "MAX_CONTENT_LENGTH": settings.upload_limit_bytes,
        "MAX_FORM_MEMORY_SIZE": 2 * 2**20,
        "SESSION_COOKIE_NAME": "butler_session",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": secure,
        "PERMANENT_SESSION_LIFETIME": 12 * 3600,
        # Pages refresh themselves: renewed by every request, a session on a forgotten screen would never end.
        "SESSION_REFRESH_EACH_REQUEST": False,
        "API_TITLE": "Butler Phone MDM",
        "API_VERSION": "v1",
        "OPENAPI_VERSION": "3.1.0",
    }


def _text(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).decode().rstrip("=")
