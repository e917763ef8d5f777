"""Simulated phones as the simulator's own tests have them."""

from tests.agent.simulator.conftest import start

__all__ = ["start"]
