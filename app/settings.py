"""All settings, read once from the environment into one frozen object; `docs/operations.md` documents each."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError
from marshmallow import fields as ma
from marshmallow.validate import Length, OneOf, Range

Environment = Literal["development", "production", "test"]
Security = Literal["starttls", "ssl", "none"]
ROOT = Path(__file__).resolve().parent.parent
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
MIN_SECRET_CHARS = 32
_PREFIX = "BUTLER_"
_AS_GIVEN = (
    "smtp_host", "smtp_port", "smtp_security", "smtp_user", "smtp_password", "smtp_from",
    "sms_url", "sms_token", "sms_body", "sms_success", "checkpoint_mail", "checkpoint_url",
)  # fmt: skip
_OLD_URLS = {"postgres://": "postgresql+psycopg://", "postgresql://": "postgresql+psycopg://"}


class SettingsError(Exception):
    """Everything that is wrong with the settings, one line each; values of secrets are never in it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """Paths are absolute; secrets are None when a key file in `key_dir` serves instead."""

    environment: Environment = field(metadata={"name": "BUTLER_ENV"})
    var_dir: Path = field(metadata={"name": "BUTLER_VAR_DIR"})
    database_url: str = field(metadata={"name": "DATABASE_URL"}, repr=False)
    blob_dir: Path = field(metadata={"name": "BLOB_DIR"})
    key_dir: Path = field(metadata={"name": "BUTLER_KEY_DIR"})
    escrow_dir: Path = field(metadata={"name": "BUTLER_ESCROW_DIR"})
    escrow_root_file: Path = field(metadata={"name": "BUTLER_ESCROW_ROOT_FILE"})
    escrow_root: str | None = field(metadata={"name": "BUTLER_ESCROW_ROOT"}, repr=False)
    policy_dir: Path = field(metadata={"name": "BUTLER_POLICY_DIR"})
    public_url: str | None = field(metadata={"name": "PUBLIC_URL"})
    allowed_hosts: tuple[str, ...] = field(metadata={"name": "BUTLER_ALLOWED_HOSTS"})
    trusted_proxies: int = field(metadata={"name": "BUTLER_TRUSTED_PROXIES"})
    access_token: str | None = field(metadata={"name": "BUTLER_ACCESS_TOKEN"}, repr=False)
    secret_key: str | None = field(metadata={"name": "BUTLER_SECRET_KEY"}, repr=False)
    checkin_interval_s: int = field(metadata={"name": "BUTLER_CHECKIN_INTERVAL_S"})
    upload_limit_bytes: int = field(metadata={"name": "BUTLER_UPLOAD_LIMIT_BYTES"})
    log_level: str = field(metadata={"name": "BUTLER_LOG_LEVEL"})
    smtp_host: str | None = field(metadata={"name": "BUTLER_SMTP_HOST"})
    smtp_port: int | None = field(metadata={"name": "BUTLER_SMTP_PORT"})
    smtp_security: Security = field(metadata={"name": "BUTLER_SMTP_SECURITY"})
    smtp_user: str | None = field(metadata={"name": "BUTLER_SMTP_USER"})
    smtp_password: str | None = field(metadata={"name": "BUTLER_SMTP_PASSWORD"}, repr=False)
    smtp_from: str | None = field(metadata={"name": "BUTLER_SMTP_FROM"})
    sms_url: str | None = field(metadata={"name": "BUTLER_SMS_URL"})
    sms_token: str | None = field(metadata={"name": "BUTLER_SMS_TOKEN"}, repr=False)
    sms_body: str = field(metadata={"name": "BUTLER_SMS_BODY"})
    sms_success: str | None = field(metadata={"name": "BUTLER_SMS_SUCCESS"})
    checkpoint_dir: Path | None = field(metadata={"name": "BUTLER_CHECKPOINT_DIR"})
    checkpoint_mail: str | None = field(metadata={"name": "BUTLER_CHECKPOINT_MAIL"})
    checkpoint_url: str | None = field(metadata={"name": "BUTLER_CHECKPOINT_URL"}, repr=False)

    @property
    def production(self) -> bool:
        return self.environment == "production"


def setting_names() -> list[str]:
    """The environment variable of every setting."""
    return [str(f.metadata["name"]) for f in fields(Settings)]


def _sms_body(text: str) -> None:
    """Raise `ValidationError` unless it is a JSON object whose texts hold `{mobile}` and `{text}`."""
    try:
        body = json.loads(text)
    except ValueError:
        raise ValidationError("must be JSON") from None
    if not isinstance(body, dict) or "{mobile}" not in text or "{text}" not in text:
        raise ValidationError("must be a JSON object with {mobile} and {text} in its texts")


class _Raw(Schema):
    environment = ma.String(load_default="development", validate=OneOf(["development", "production", "test"]))
    var_dir = ma.String(load_default=None)
    database_url = ma.String(load_default=None)
    blob_dir = ma.String(load_default=None)
    key_dir = ma.String(load_default=None)
    escrow_dir = ma.String(load_default=None)
    escrow_root_file = ma.String(load_default=None)
    escrow_root = ma.String(load_default=None)
    policy_dir = ma.String(load_default=None)
    public_url = ma.Url(load_default=None, schemes={"https", "http"}, require_tld=False)
    allowed_hosts = ma.String(load_default="")
    trusted_proxies = ma.Integer(load_default=0, validate=Range(0, 5))
    access_token = ma.String(load_default=None, validate=Length(min=MIN_SECRET_CHARS))
    secret_key = ma.String(load_default=None, validate=Length(min=MIN_SECRET_CHARS))
    checkin_interval_s = ma.Integer(load_default=60, validate=Range(5, 3600))
    upload_limit_bytes = ma.Integer(load_default=32 * 2**20, validate=Range(2**20, 2**30))
    log_level = ma.String(load_default="INFO", validate=OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))
    smtp_host = ma.String(load_default=None, validate=Length(max=253))
    smtp_port = ma.Integer(load_default=None, validate=Range(1, 65535))
    smtp_security = ma.String(load_default="starttls", validate=OneOf(["starttls", "ssl", "none"]))
    smtp_user = ma.String(load_default=None)
    smtp_password = ma.String(load_default=None)
    smtp_from = ma.Email(load_default=None)
    sms_url = ma.Url(load_default=None, schemes={"https", "http"}, require_tld=False)
    sms_token = ma.String(load_default=None)
    sms_body = ma.String(load_default='{"phone": "{mobile}", "content": "{text}"}', validate=_sms_body)
    sms_success = ma.String(load_default=None)
    checkpoint_dir = ma.String(load_default=None)
    checkpoint_mail = ma.Email(load_default=None)
    checkpoint_url = ma.Url(load_default=None, schemes={"https", "http"}, require_tld=False)


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read settings from environment variables. Raise `SettingsError` with every problem at once.

    An unknown `BUTLER_*` variable is a problem too: a misspelt setting that is silently ignored fails months later.
    """
    problems = _unknown(environ)
    given = {f.name: environ[f.metadata["name"]] for f in fields(Settings) if environ.get(f.metadata["name"])}
    names = {f.name: str(f.metadata["name"]) for f in fields(Settings)}
    try:
        raw = cast(dict[str, Any], _Raw().load(given))
    except ValidationError as exc:
        messages = cast(dict[str, list[str]], exc.messages_dict)
        problems += [f"{names[name]}: {' '.join(text)}" for name, text in messages.items()]
        raise SettingsError(problems) from None
    problems += _channel_problems(raw)
    if raw["environment"] == "production":
        problems += _production_problems(raw)
    if problems:
        raise SettingsError(problems)
    return _build(raw)


def _unknown(environ: Mapping[str, str]) -> list[str]:
    known = setting_names()
    problems = []
    for name in sorted(environ):
        if name.startswith(_PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            problems.append(f"{name}: unknown setting" + (f", did you mean {near[0]}?" if near else ""))
    return problems


def _channel_problems(raw: dict[str, Any]) -> list[str]:
    """Half a mail server would let every mail fail, one by one."""
    problems = []
    if raw["smtp_host"] and not raw["smtp_from"]:
        problems.append("BUTLER_SMTP_FROM: must be set with BUTLER_SMTP_HOST")
    if bool(raw["smtp_user"]) != bool(raw["smtp_password"]):
        problems.append("BUTLER_SMTP_USER, BUTLER_SMTP_PASSWORD: set both or none")
    if raw["smtp_user"] and raw["smtp_security"] == "none" and raw["smtp_host"] not in LOOPBACK_HOSTS:
        problems.append("BUTLER_SMTP_SECURITY: a password would travel in the clear; use starttls or ssl")
    if raw["checkpoint_mail"] and not raw["smtp_host"]:
        problems.append("BUTLER_CHECKPOINT_MAIL: needs a mail server, see BUTLER_SMTP_HOST")
    plain = urlsplit(raw["sms_url"] or "")
    if raw["sms_token"] and plain.scheme == "http" and plain.hostname not in LOOPBACK_HOSTS:
        problems.append("BUTLER_SMS_URL: the token would travel in the clear; use https://")
    return problems


def _production_problems(raw: dict[str, Any]) -> list[str]:
    problems = []
    for name, variable in (("access_token", "BUTLER_ACCESS_TOKEN"), ("secret_key", "BUTLER_SECRET_KEY")):
        value = raw[name]
        if not value:
            problems.append(
                f"{variable}: must be set in production (at least {MIN_SECRET_CHARS} random characters)"
            )
        elif len(set(value)) < 10:
            problems.append(
                f"{variable}: looks like a default, not like {MIN_SECRET_CHARS} random characters"
            )
    if not raw["public_url"]:
        problems.append("PUBLIC_URL: must be set in production, e.g. https://phones.example.cn")
    elif not raw["public_url"].startswith("https://"):
        problems.append("PUBLIC_URL: must begin with https:// in production")
    return problems


def _build(raw: dict[str, Any]) -> Settings:
    var = _path(raw["var_dir"], ROOT / "var")
    url = raw["database_url"] or f"sqlite:///{var / 'butler.db'}"
    for old, new in _OLD_URLS.items():
        if url.startswith(old):
            url = new + url[len(old) :]
    keys = _path(raw["key_dir"], var / "keys")
    escrow = _path(raw["escrow_dir"], keys / "escrow")
    hosts = [h.strip().lower() for h in raw["allowed_hosts"].split(",") if h.strip()] or list(LOOPBACK_HOSTS)
    public = raw["public_url"].rstrip("/") if raw["public_url"] else None
    if public:
        hosts.append((urlsplit(public).hostname or "").lower())
    return Settings(
        environment=raw["environment"],
        var_dir=var,
        database_url=url,
        blob_dir=_path(raw["blob_dir"], var / "blobs"),
        key_dir=keys,
        escrow_dir=escrow,
        escrow_root_file=_path(raw["escrow_root_file"], escrow / "root.key"),
        escrow_root=raw["escrow_root"],
        policy_dir=_path(raw["policy_dir"], ROOT / "policies"),
        public_url=public,
        allowed_hosts=tuple(dict.fromkeys(hosts)),
        trusted_proxies=raw["trusted_proxies"],
        access_token=raw["access_token"],
        secret_key=raw["secret_key"],
        checkin_interval_s=raw["checkin_interval_s"],
        upload_limit_bytes=raw["upload_limit_bytes"],
        log_level=raw["log_level"],
        checkpoint_dir=Path(raw["checkpoint_dir"]).expanduser().resolve() if raw["checkpoint_dir"] else None,
        **{name: raw[name] for name in _AS_GIVEN},
    )


def _path(text: str | None, default: Path) -> Path:
    return Path(text).expanduser().resolve() if text else default
