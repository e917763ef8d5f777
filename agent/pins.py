"""The server's keys that this agent has pinned: at enrolment that of commands, later that of dangerous ones, once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent import wire
from agent.errors import AgentError
from agent.state import Identity

log = logging.getLogger("agent.report")


class KeyPins:
    """`save` puts the identity on disk. Used by one thread."""

    def __init__(self, identity: Identity, save: Callable[[Identity], None] = lambda _: None) -> None:
        self._identity = identity
        self._save = save
        self._refused = ""
        self.keys: dict[str, Ed25519PublicKey] = identity.command_keys()

    def learn(self, told: object) -> None:
        """Pin the key of dangerous commands when it is first told; another one than that is refused, and said so."""
        if told is None or self._identity.kind != "gateway":
            return
        try:
            key = wire.told_key(wire.DANGER_PURPOSE, told, self._identity.verifier(), self._identity.agent_id)
        except wire.WireError as exc:
            self._refuse(str(exc))
            return
        if not self._identity.danger_key:
            self._pin(key)
        elif key != self._identity.danger_key:
            self._refuse("it is not the one that was pinned; if the server was set up anew: enrol --renew")

    def _pin(self, key: str) -> None:
        pinned = replace(self._identity, danger_key=key)
        try:
            # On disk before it is used: an agent that forgot it would take another one after its next start.
            self._save(pinned)
        except AgentError as exc:
            log.warning("the key of dangerous commands cannot be kept: %s", exc)
            return
        self._identity, self.keys = pinned, pinned.command_keys()
        log.info("pinned the server's key of dangerous commands")

    def _refuse(self, why: str) -> None:
        if why != self._refused:
            log.error("the server's key of dangerous commands is refused: %s", why)
        self._refused = why
