"""The numbers and lists of the rules: strict YAML files with a schema, and layers of districts and centres."""

from app.policy.files import Fault, Policy, PolicyError, PolicyFiles, make_policy
from app.policy.model import PolicyLayer
from app.policy.rules import patch, patched, stack
from app.policy.service import (
    LayerInput,
    effective,
    effective_many,
    layer_problems,
    layer_versions,
    put_layer,
)
from app.policy.whatif import Proposal, centres_reached, layers_over, proposed

__all__ = [
    "Fault",
    "LayerInput",
    "Policy",
    "PolicyError",
    "PolicyFiles",
    "PolicyLayer",
    "Proposal",
    "centres_reached",
    "effective",
    "effective_many",
    "layer_problems",
    "layer_versions",
    "layers_over",
    "make_policy",
    "patch",
    "patched",
    "proposed",
    "put_layer",
    "stack",
]
