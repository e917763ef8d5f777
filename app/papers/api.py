"""Papers over the JSON API."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Response
from flask.views import MethodView

from app.http.access import SIGNED_IN, access
from app.http.api import API_PREFIX, Blueprint, page_schema
from app.http.identity import current_principal
from app.http.noting import note_reading
from app.kernel.db import db
from app.kernel.paging import Page
from app.papers.checking import overall
from app.papers.document import to_plain
from app.papers.listing import Wanted, list_papers, whole_paper
from app.papers.model import Paper
from app.papers.pages import look_at, pdf_response
from app.papers.schemas import PaperDetailSchema, PaperQuerySchema, PaperSchema

papers_api = Blueprint("papers_api", __name__, url_prefix=API_PREFIX, description="单据 / Signed papers")
_PDF = {200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}}


@papers_api.route("/papers")
class Papers(MethodView):
    @access(*SIGNED_IN)
    @papers_api.arguments(PaperQuerySchema, location="query")
    @papers_api.response(200, page_schema(PaperSchema))
    def get(self, query: dict[str, Any]) -> Page[Paper]:
        """The newest first: those of one's centres for staff, those that one is a party to for anybody."""
        cursor, limit = query.pop("cursor"), query.pop("limit")
        return list_papers(db.session(), current_principal(), Wanted(**query), cursor=cursor, limit=limit)


@papers_api.route("/papers/<uuid:paper_id>")
class OnePaper(MethodView):
    @access(*SIGNED_IN)
    @papers_api.response(200, PaperDetailSchema)
    def get(self, paper_id: uuid.UUID) -> dict[str, Any]:
        """The whole document, and whether everything of it still is what was signed."""
        session = db.session()
        found = whole_paper(session, current_principal(), paper_id)
        findings = look_at(session, found.paper)
        names = PaperSchema().fields
        note_reading("papers", action="paper.read", subject=f"paper:{paper_id}")
        return {
            **{name: getattr(found.paper, name) for name in names},
            "document": to_plain(found.document) if found.document else None,
            "corrected_by": found.corrected_by.id if found.corrected_by else None,
            "verdict": overall(findings),
            "findings": findings,
        }


@papers_api.route("/papers/<uuid:paper_id>/pdf")
class PaperPdf(MethodView):
    @access(*SIGNED_IN)
    @papers_api.doc(responses=_PDF)
    @papers_api.response(200)
    def get(self, paper_id: uuid.UUID) -> Response:
        """The same file at each call, with its hash in the audit trail."""
        return pdf_response(paper_id)
