from __future__ import annotations

import uuid
from typing import Any

from flask.views import MethodView

from app.http.access import STAFF, access
from app.http.api import API_PREFIX, Blueprint, etag, expected_version
from app.http.identity import current_principal
from app.kernel.db import db
from app.kernel.errors import NotFound
from app.policy.files import Policy
from app.policy.schemas import (
    CentreArgs,
    LayerInSchema,
    LayerSchema,
    LayersSchema,
    PolicySchema,
    SubjectsSchema,
)
from app.policy.service import LayerInput, Scope, layer_versions, policy_for, put_layer
from app.runtime import runtime

policy_api = Blueprint("policies", __name__, url_prefix=API_PREFIX, description="制度参数 / The policies")
_LAYERS = "/policies/<subject>/layers/<any(district, centre):scope>/<uuid:scope_id>"


@policy_api.route("/policies")
class Subjects(MethodView):
    @access(*STAFF)
    @policy_api.response(200, SubjectsSchema)
    def get(self) -> dict[str, Any]:
        """The company's policies."""
        files = runtime().policies
        return {"items": [files.latest(subject) for subject in files.subjects]}


@policy_api.route("/policies/<subject>")
class Effective(MethodView):
    @access(*STAFF)
    @policy_api.arguments(CentreArgs, location="query")
    @policy_api.response(200, PolicySchema)
    def get(self, args: dict[str, Any], subject: str) -> Policy:
        """The policy that holds in a centre (`?centre=`), with its layers; without one the company's own."""
        return policy_for(db.session(), current_principal(), runtime().policies, subject, args["centre_id"])


@policy_api.route(_LAYERS)
class Layers(MethodView):
    @access(*STAFF)
    @policy_api.response(200, LayerSchema)
    def get(self, subject: str, scope: Scope, scope_id: uuid.UUID) -> Any:
        """The layer that holds; its ETag is what a PUT names in `If-Match`."""
        versions = layer_versions(
            db.session(), current_principal(), runtime().policies, subject, scope, scope_id
        )
        if not versions:
            raise NotFound('这里没有特别规定 / no layer here: PUT one with If-Match "v0"')
        return versions[0], 200, {"ETag": etag(versions[0].version)}

    @access("operations", if_match=True)
    @policy_api.arguments(LayerInSchema)
    @policy_api.response(200, LayerSchema)
    def put(self, body: dict[str, Any], subject: str, scope: Scope, scope_id: uuid.UUID) -> Any:
        """Write the next version of a layer (`If-Match: "v0"` for the first); an empty body lifts it."""
        row = put_layer(
            db.session(),
            current_principal(),
            runtime().policies,
            LayerInput(subject, scope, scope_id, body["body"], body["reason"]),
            expected_version=expected_version(),
            now=runtime().clock.now(),
        )
        return row, 200, {"ETag": etag(row.version)}


@policy_api.route(f"{_LAYERS}/versions")
class LayerVersions(MethodView):
    @access(*STAFF)
    @policy_api.response(200, LayersSchema)
    def get(self, subject: str, scope: Scope, scope_id: uuid.UUID) -> dict[str, Any]:
        """All versions of a layer, the newest first."""
        files = runtime().policies
        return {"items": layer_versions(db.session(), current_principal(), files, subject, scope, scope_id)}
