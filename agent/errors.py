"""What can go wrong between the agent and a phone. `reason` is stable:
it travels to the server, programs decide by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from agent.transport import CommandResult

Reason = Literal[
    "unreachable",
    "unauthorized",
    "timeout",
    "dropped",
    "protocol",
    "too_large",
    "busy",
    "adb_down",
    "refused",
]


class AgentError(Exception):
    """Base of everything that the agent reports to a person in one line."""


class BadTarget(AgentError):
    """A TARGET that is neither `tcp:HOST:PORT` nor `server:SERIAL`."""


class KeyFileError(AgentError):
    """The ADB key file cannot be read, is no RSA-2048 key, or others may read it."""


class TransportError(AgentError):
    """The phone could not be asked, or did not answer in full.

    `partial` is what a command had printed until then (None: nothing was started): half an answer still
    proves that the phone was on.
    """

    default_reason: Reason = "protocol"

    def __init__(self, detail: str, *, reason: Reason | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.reason: Reason = reason or self.default_reason
        self.partial: CommandResult | None = None

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


class Unreachable(TransportError):
    """Nothing answers there. Reasons: `unreachable`; `adb_down`: the local adb server; `busy`:
    it is being connected.
    """

    default_reason = "unreachable"


class Unauthorised(TransportError):
    """The phone does not know our key and nobody has allowed it in time."""

    default_reason = "unauthorized"


class Timeout(TransportError):
    """The deadline passed. The command may still be running on the phone."""

    default_reason = "timeout"


class TransportFault(TransportError):
    """`dropped`: the connection ended before the answer did; `protocol`: what came is not ADB."""


class OutputTooLarge(TransportError):
    """The phone printed or sent more than the cap."""

    default_reason = "too_large"


class Refused(TransportError):
    """The phone answered and said no: a service that it does not offer, a file that it does not give."""

    default_reason = "refused"
