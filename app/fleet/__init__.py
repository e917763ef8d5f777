"""Agents: how they enrol, how each of their requests is admitted, what a check-in does."""

from app.fleet.model import Agent
from app.fleet.service import NewCode, agent_names, find_agent, list_agents, make_code, revoke

__all__ = ["Agent", "NewCode", "agent_names", "find_agent", "list_agents", "make_code", "revoke"]
