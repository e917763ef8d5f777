"""Who answers for a phone in its custodian's place (N01), and what excuses it from being on."""

from app.duty.facts import ExcuseFact, excuse_facts

__all__ = ["ExcuseFact", "excuse_facts"]
