"""One transaction a request, committed at the edge together with the answer of its Idempotency-Key."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import orjson
from flask import Response, abort, current_app, g, request
from sqlalchemy.orm import Session

from app.http.bodies import reading_body
from app.http.problems import Problem, error_answer
from app.kernel import idempotency
from app.kernel.db import BUSY_TIMEOUT_MS, begin_write, db
from app.runtime import runtime

FORM_KEY = "_idempotency_key"
_MULTIPART = "multipart/form-data"
_KEPT_HEADERS = ("Content-Type", "Location", "ETag")


def open_write() -> Session:
    """Begin this request's write transaction; `close_write` commits it when the answer is below 400.

    A POST by a signed-in caller must bring an Idempotency-Key; used before for the same request, its first answer is
    sent again (through `abort`) and nothing else happens. The body is read to its end before: a slow sender must not
    hold the database's only write lock.
    """
    claims = request.method == "POST" and g.get("principal") is not None
    key, fingerprint = (_key(), _fingerprint()) if claims else ("", "")
    session = begin_write(db.session())
    g.writes = True
    if claims:
        _claim_key(session, key, fingerprint)
    return session


@contextmanager
def read_apart() -> Iterator[Session]:
    """For a look before this request's own transaction is opened, which may turn out to be a writing one."""
    with Session(db.engine) as session:
        yield session


@contextmanager
def write_apart(*, patience_ms: int = BUSY_TIMEOUT_MS) -> Iterator[Session]:
    """A write that stands whatever this request is answered: a wrong password is counted though it is refused.

    Raise `OperationalError` when the database is busy for longer than `patience_ms`.
    """
    with Session(db.engine, expire_on_commit=False) as session:
        yield begin_write(session, patience_ms=patience_ms)
        session.commit()


def read_body() -> None:
    """Read what is sent to its end; raw before a form is parsed, which would leave nothing to take a fingerprint of."""
    with reading_body():
        if request.mimetype == _MULTIPART:
            request.files  # noqa: B018 - parses the whole body
        else:
            request.get_data(cache=True)


def _key() -> str:
    read_body()
    key = request.headers.get("Idempotency-Key") or _form_key()
    if not key or len(key) > idempotency.MAX_KEY_CHARS or not key.isprintable():
        raise Problem(
            400,
            "idempotency_key_required",
            f"send a header Idempotency-Key (at most {idempotency.MAX_KEY_CHARS} printable characters, new for every "
            "new act)",
        )
    return key


def _claim_key(session: Session, key: str, fingerprint: str) -> None:
    who = g.principal.user
    stored = idempotency.claim(
        session, principal=who, key=key, fingerprint=fingerprint, now=runtime().clock.now()
    )
    if stored is None:
        g.idempotency = (who, key)
        return
    headers = {**orjson.loads(stored.headers), "Idempotency-Replayed": "true"}
    abort(Response(stored.body, status=stored.status, headers=headers))


def _form_key() -> str | None:
    if request.mimetype in (_MULTIPART, "application/x-www-form-urlencoded"):
        return request.form.get(FORM_KEY)
    return None


def _fingerprint() -> str:
    """Keyed with what is no part of the database: a bare hash of a body lets a PIN in it be guessed from a copy."""
    key = str(current_app.secret_key).encode()
    digest = hmac.new(key, f"{request.method} {request.full_path}\0".encode(), hashlib.sha256)
    if request.mimetype != "multipart/form-data":
        digest.update(request.get_data(cache=True))
        return digest.hexdigest()
    # Part by part: the boundary between them differs each time that the same form is sent.
    for name, value in sorted(request.form.items(multi=True)):
        digest.update(orjson.dumps([name, value]))
    for name, upload in request.files.items(multi=True):
        digest.update(orjson.dumps([name, upload.filename, _sha256(upload.stream)]))
    return digest.hexdigest()


def _sha256(stream: IO[bytes]) -> str:
    """Of the whole stream, which stands afterwards where it stood."""
    place = stream.tell()
    stream.seek(0)
    whole = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]  # any seekable file will do
    stream.seek(place)
    return whole


def close_write(response: Response) -> Response:
    """Commit what went well, with its idempotent answer; roll all else back."""
    if not g.pop("writes", False):
        return response
    session = db.session()
    if response.status_code >= 400:
        session.rollback()
        return response
    claimed = g.pop("idempotency", None)
    if claimed is not None and not response.direct_passthrough:
        answer = _shown_once() if g.pop("secret_answer", False) else response
        kept = {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers}
        stored = idempotency.StoredAnswer(answer.status_code, orjson.dumps(kept).decode(), answer.get_data())
        idempotency.store(session, principal=claimed[0], key=claimed[1], answer=stored)
    session.commit()
    return response


def answer_is_secret() -> None:
    """Call in a view whose answer holds a secret: its Idempotency-Key then keeps a refusal in the answer's place."""
    g.secret_answer = True


def _shown_once() -> Response:
    return error_answer(
        409,
        "shown_once",
        "这个内容只显示一次，请重新生成 / this was shown once and is not kept: make a new one",
    )
