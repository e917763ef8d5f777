"""Agents for tests of the server: real keys, real signatures, over Flask's test client."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from flask import Flask
from werkzeug.test import TestResponse

from agent import wire

BASE = "http://127.0.0.1"
BOOT = "0a1b2c3d-0000-4000-8000-00000000000"


@dataclass
class FakeAgent:
    """Signs as an enrolled agent does. `now` is its own idea of the time, which need not be right."""

    app: Flask
    now: Callable[[], dt.datetime]
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    sealed: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    agent_id: str = ""
    command_key: Ed25519PublicKey | None = None

    def enrol(self, token: str, *, kind: str = "gateway", **changes: Any) -> TestResponse:
        body = {
            "schema": 1,
            "token": token,
            "name": "前台网关",
            "ed25519": wire.b64(self.key.public_key().public_bytes_raw()),
            "x25519": wire.b64(self.sealed.public_key().public_bytes_raw()),
            "version": "0.1.0",
            "kind": kind,
        } | changes
        answer = self.post(wire.ENROL_PATH, body, key_id=wire.ENROL_KEY_ID)
        if answer.status_code == 201:
            told = answer.get_json()
            self.agent_id = told["agent_id"]
            self.command_key = Ed25519PublicKey.from_public_bytes(wire.unb64(told["command_key"], 32))
        return answer

    def post(
        self,
        path: str,
        body: Any,
        *,
        pack: bool = False,
        key_id: str | None = None,
        nonce: str | None = None,
        signed_path: str | None = None,
        signed_body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        """`signed_…`: what the signature is made over, when that is not what is sent."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        raw = gzip.compress(raw) if pack else raw
        message = wire.HttpMessage("POST", BASE + (signed_path or path), {})
        wire.sign_request(
            message,
            raw if signed_body is None else signed_body,
            key=self.key,
            key_id=self.agent_id if key_id is None else key_id,
            nonce=nonce or secrets.token_urlsafe(12),
            created=int(self.now().timestamp()),
        )
        sent = dict(message.headers) | ({"Content-Encoding": "gzip"} if pack else {}) | (headers or {})
        with self.app.test_client() as client:
            return client.post(path, data=raw, headers=sent, base_url=BASE)

    def checkin(self, *, pack: bool = False, **parts: Any) -> TestResponse:
        return self.post(wire.CHECKIN_PATH, envelope(**parts), pack=pack)

    def commands(self, answer: TestResponse) -> list[wire.Command]:
        """The commands of an answer, verified as the agent does."""
        assert self.command_key is not None
        body = answer.get_json()
        keys = {wire.COMMAND_PURPOSE: self.command_key}
        if "danger_key" in body:
            told = wire.told_key(wire.DANGER_PURPOSE, body["danger_key"], self.command_key, self.agent_id)
            keys[wire.DANGER_PURPOSE] = Ed25519PublicKey.from_public_bytes(wire.unb64(told))
        asked = re.search(r'nonce="([^"]*)"', answer.request.headers["Signature-Input"])
        assert asked is not None
        return [wire.open_command(e, keys, self.agent_id, asked[1]) for e in body["commands"]]


def envelope(**parts: Any) -> dict[str, Any]:
    """A check-in's body with empty parts where none are given."""
    return {
        "schema": 1,
        "batch": str(uuid.uuid4()),
        "agent": {"version": "0.1.0", "spooled": 0, "targets": 1, "adb_server": True},
        "readings": [],
        "unreached": [],
        "results": [],
    } | parts


def reading(phone: str = "S1", boot: int = 1, **changes: Any) -> dict[str, Any]:
    """A whole reading without sections; `boot` picks one of ten boot ids."""
    return {
        "phone": phone,
        "target": f"tcp:10.0.0.1:{5000 + len(str(phone))}",
        "age_s": 2.0,
        "boot_id": f"{BOOT}{boot}",
        "boot_count": 40 + boot,
        "uptime_s": 1000.0,
        "grade": "gateway",
        "power": {"battery_percent": 87, "charging": False, "airplane_mode": False, "screen_on": True},
        "tags": {},
        "sections": {},
        "unread": [],
    } | changes


def with_sections(entry: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """The reading with these sections and their true tags."""
    tags = {name: wire.section_tag(wire.canonical_json(data)) for name, data in sections.items()}
    return {**entry, "tags": {**entry["tags"], **tags}, "sections": {**entry["sections"], **sections}}


def package(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "user": 0,
        "version_code": 1,
        "version_name": "1.0",
        "system": False,
        "enabled": True,
        "suspended": False,
        "installer": "com.android.vending",
    } | changes
