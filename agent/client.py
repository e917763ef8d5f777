"""Signed POSTs to the server: TLS, deadlines, sizes, and the refusals that a new signature mends."""

from __future__ import annotations

import datetime as dt
import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent import __version__, wire
from agent.clock import Deadline, wall
from agent.errors import AgentError
from agent.transport import is_loopback

log = logging.getLogger("agent.client")

CONNECT_S = 10.0
SILENCE_S = 30.0
"""The longest silence of a server that has taken the request."""
TOTAL_S = 120.0
MAX_ANSWER_BYTES = 16 * 2**20
MAX_RETRY_AFTER_S = 3600.0
_TRIES = 3
_MAX_WORDS = 500
_LAST_EPOCH = 2**33
"""Of a server's time, in the year 2242: what lies beyond cannot be signed with."""
_CHUNK = 65536


class BadServerUrl(AgentError):
    """A server URL that the agent will not talk to."""


class ServerAway(AgentError):
    """No usable answer: network, TLS, 429, 5xx or rubbish. Nothing is known about what the server took."""

    def __init__(self, detail: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class ServerRefused(AgentError):
    """The server understood and said no. `code` is stable (docs/wire.md); `problem` is its whole document."""

    def __init__(self, status: int, code: str, detail: str, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {code}: {detail}" if detail else f"{status} {code}")
        self.status = status
        self.code = code
        self.problem = problem


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Any
    body: dict[str, Any] | None


def check_url(url: str) -> str:
    """Return `scheme://host[:port]`. Raise `BadServerUrl` for anything more.

    Plain HTTP goes to loopback only: elsewhere anybody near could read which phones we hold.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise BadServerUrl("the server's URL is malformed") from exc
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise BadServerUrl("the server's URL must look like https://HOST or https://HOST:PORT")
    if parts.username is not None or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise BadServerUrl("the server's URL must be scheme, host and port only")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise BadServerUrl(f"plain HTTP is allowed to this machine only, not to {parts.hostname}: use https")
    return f"{parts.scheme}://{parts.netloc}"


class Client:
    """One agent's connection to its server. Not for use by several threads at once."""

    def __init__(
        self, url: str, key: Ed25519PrivateKey, key_id: str, *, wall_clock: Callable[[], float] = wall
    ) -> None:
        self._url = check_url(url)
        self._key = key
        self._key_id = key_id
        self._wall = wall_clock
        self._offset_s = 0.0
        self.nonce = ""
        """That of the last request."""
        self._session = requests.Session()
        # A proxy must not see what goes to this machine's own loopback; netrc would add a second identity.
        self._session.trust_env = not is_loopback(urlsplit(self._url).hostname or "")
        self._session.auth = _no_netrc

    def close(self) -> None:
        self._session.close()

    def post(self, path: str, body: bytes, *, packed: bool = False) -> dict[str, Any]:
        """POST JSON bytes (`packed`: gzip), return the object of a 2xx answer.

        Raise `ServerAway`, `ServerRefused`.
        A wrong clock or a nonce that was seen before is mended by signing again; the bytes stay the same.
        """
        for _ in range(_TRIES):
            answer = self._send(path, body, packed)
            if 200 <= answer.status < 300:
                if answer.body is None:
                    raise ServerAway(f"the server's answer {answer.status} is no JSON object")
                return answer.body
            refusal = _refusal(answer)
            if refusal.code == "clock_skew" and self._learn_offset(refusal.problem):
                continue
            if refusal.code != "replayed":
                raise refusal
        raise ServerAway("the server refuses every signature as too old or seen before")

    def _send(self, path: str, body: bytes, packed: bool) -> _Answer:
        message = wire.HttpMessage("POST", self._url + path, {"Content-Type": "application/json"})
        message.headers["User-Agent"] = f"butler-agent/{__version__}"
        message.headers["Accept"] = "application/json"
        if packed:
            message.headers["Content-Encoding"] = "gzip"
        self.nonce = secrets.token_urlsafe(24)
        wire.sign_request(
            message,
            body,
            key=self._key,
            key_id=self._key_id,
            nonce=self.nonce,
            created=int(self._wall() + self._offset_s),
        )
        try:
            with self._session.post(
                message.url,
                data=body,
                headers=message.headers,
                timeout=(CONNECT_S, SILENCE_S),
                allow_redirects=False,
                stream=True,
            ) as response:
                return _Answer(response.status_code, response.headers, _read_object(response))
        except requests.exceptions.SSLError as exc:
            raise ServerAway("the server's certificate is not trusted by this machine") from exc
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as exc:
            raise ServerAway("the server did not answer in time") from exc
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as exc:
            raise ServerAway(f"the server cannot be reached ({type(exc).__name__})") from exc

    def _learn_offset(self, problem: dict[str, Any]) -> bool:
        server_time = _epoch(problem.get("server_time"))
        if server_time is None:
            return False
        self._offset_s = server_time - self._wall()
        log.warning("this machine's clock is wrong offset_s=%d; signing by the server's", self._offset_s)
        return True


def _no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _read_object(response: requests.Response) -> dict[str, Any] | None:
    """The JSON object in the body, None for anything else. A dripping server meets the total deadline."""
    deadline = Deadline(TOTAL_S)
    parts: list[bytes] = []
    size = 0
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        size += len(chunk)
        if size > MAX_ANSWER_BYTES or deadline.left() <= 0:
            raise ServerAway("the server's answer is too long or too slow")
        parts.append(chunk)
    try:
        found = json.loads(b"".join(parts))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refusal(answer: _Answer) -> ServerRefused:
    """What a status outside 2xx means. Raise `ServerAway` for what may pass by itself."""
    problem = answer.body or {}
    code = problem.get("code")
    if answer.status == 429 or answer.status >= 500:
        wait = _seconds(answer.headers.get("Retry-After"))
        raise ServerAway(f"the server answers {answer.status}", retry_after_s=wait)
    if not isinstance(code, str) or not code:
        # No document of ours: something between here and the server speaks (a portal, a proxy).
        raise ServerAway(f"{answer.status} without a problem document: is this the right server?")
    detail = str(problem.get("detail") or "")[:_MAX_WORDS]
    return ServerRefused(answer.status, code[:_MAX_WORDS], detail, problem)


def _seconds(value: str | None) -> float:
    given = float(value) if value and value.isascii() and value.isdigit() and len(value) < 6 else 0.0
    return min(given, MAX_RETRY_AFTER_S)


def _epoch(value: object) -> float | None:
    """An RFC 3339 instant as epoch seconds; None for one that cannot be the time of a server."""
    try:
        when = dt.datetime.fromisoformat(str(value))
    except ValueError:
        return None
    seconds = when.timestamp() if when.tzinfo else -1.0
    return seconds if 0 <= seconds < _LAST_EPOCH else None
