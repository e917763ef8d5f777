"""Agents: how they enrol, how each of their requests is admitted, what a check-in does."""

from app.fleet.model import Agent
from app.fleet.refusals import bad_body
from app.fleet.service import (
    NewCode,
    actor_names,
    admit,
    agent_names,
    find_agent,
    list_agents,
    make_code,
    revoke,
)
from app.fleet.signatures import SignedCall, signed_call

__all__ = [
    "Agent",
    "NewCode",
    "SignedCall",
    "actor_names",
    "admit",
    "agent_names",
    "bad_body",
    "find_agent",
    "list_agents",
    "make_code",
    "revoke",
    "signed_call",
]
