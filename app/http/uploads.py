"""Photos that come in with a form, and stored pictures that go out."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Response
from werkzeug.datastructures import FileStorage

from app.kernel.db import db
from app.kernel.errors import FieldError, Invalid, NotFound
from app.kernel.pictures import MAX_BYTES, Picture, take_picture
from app.runtime import runtime

_PICTURES = ("image/jpeg", "image/png")


def photos_of(files: Iterable[FileStorage], limit: int) -> list[Picture]:
    """The photos of a form's file field, in order; a field left empty gives none.

    Call before `open_write`: reading and shrinking photos must not hold the write lock. Raise `Invalid` (field
    `photos`) for more than `limit` of them, and as `take_picture` for what is no picture.
    """
    given = [upload for upload in files if upload.filename]
    if len(given) > limit:
        message = f"最多上传 {limit} 张照片 / at most {limit} photos"
        raise Invalid(message, code="too_many", fields=[FieldError("photos", "too_many", message)])
    return [take_picture(upload.stream.read(MAX_BYTES + 1)) for upload in given]


def send_picture(sha256: str) -> Response:
    """A stored photo or drawn signature; whether the caller may see it is the caller's business.

    Raise `NotFound` for what is no picture, `Unavailable` for one that was changed since.
    """
    data, media_type = runtime().blobs.get(db.session(), sha256)
    if media_type not in _PICTURES:
        raise NotFound("no such picture")
    answer = Response(data, content_type=media_type)
    answer.headers["Cache-Control"] = "private, max-age=86400, immutable"
    answer.headers["Content-Disposition"] = f'inline; filename="{sha256[:12]}"'
    return answer
