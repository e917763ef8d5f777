"""The numbers and lists of the rules: strict YAML files with a schema, and layers of districts and centres."""

from app.policy.files import Policy, PolicyError, PolicyFiles, make_policy
from app.policy.rules import patched
from app.policy.service import LayerInput, effective, effective_many, layer_problems, layer_versions, put_layer

__all__ = [
    "LayerInput",
    "Policy",
    "PolicyError",
    "PolicyFiles",
    "effective",
    "effective_many",
    "layer_problems",
    "layer_versions",
    "make_policy",
    "patched",
    "put_layer",
]
