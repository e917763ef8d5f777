"""The numbers and lists of the rules: strict YAML files with a schema, and the districts' and centres' layers over them."""

from app.policy.files import Policy, PolicyError, PolicyFiles

__all__ = ["Policy", "PolicyError", "PolicyFiles"]
