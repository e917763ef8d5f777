"""The concrete objects of one server process, built once in `bootstrap.py` and handed on from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app

from app.kernel.blobs import BlobStore
from app.kernel.clock import Clock
from app.kernel.keys import KeyStore
from app.policy import PolicyFiles
from app.settings import Settings

if TYPE_CHECKING:
    # The escrow's door opens on pages too, which ask this module for the runtime.
    from app.commands import CommandHooks
    from app.escrow import Vault

EXTENSION = "butler"
HOOKS = "butler_command_hooks"


@dataclass(frozen=True)
class Runtime:
    settings: Settings
    clock: Clock
    keys: KeyStore
    blobs: BlobStore
    policies: PolicyFiles
    vault: Vault
    access_token: str


def runtime() -> Runtime:
    """The objects of the present application; only entry points (api, pages, cli, jobs) ask for them."""
    return cast(Runtime, current_app.extensions[EXTENSION])


def command_hooks() -> CommandHooks:
    """What the rooms do about their commands, by kind; `app/rooms.py` hangs them up."""
    return cast("CommandHooks", current_app.extensions[HOOKS])
