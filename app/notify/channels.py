"""The ways out of the house: a mail server, an SMS gateway, group robots. Each call ends within seconds, or raises.

Nothing that a server answers is kept: it may hold an address or a secret. An error is a short code.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

import orjson

from app.kernel.clock import Clock
from app.notify.robot_kinds import robot_of
from app.settings import Settings

TIMEOUT_S = 10.0
_PORTS = {"starttls": 587, "ssl": 465, "none": 25}
SENDER_NAME = "管家手机"


class NotSent(Exception):
    """`code` names what went wrong. `final`: another attempt cannot do better. `down`: the whole channel is out."""

    def __init__(self, code: str, *, final: bool = False, down: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.final = final
        self.down = down


@dataclass(frozen=True)
class Letter:
    """`key` is the same at each attempt: a receiver that got it twice can tell."""

    key: str
    address: str
    subject: str
    text: str


def send_mail(settings: Settings, letter: Letter, clock: Clock) -> None:
    """Hand one mail to the mail server. Raise `NotSent`."""
    if not settings.smtp_host or not settings.smtp_from:
        raise NotSent("not_configured")
    try:
        with _connect(settings) as server:
            if settings.smtp_user and settings.smtp_password:
                server.login(settings.smtp_user, settings.smtp_password)
            server.send_message(_message(settings, letter, clock))
    except smtplib.SMTPRecipientsRefused as exc:
        status = next((status for status, _ in exc.recipients.values()), 0)
        raise NotSent(f"recipient_refused_{status}", final=500 <= status < 600) from None
    except smtplib.SMTPAuthenticationError as exc:
        raise NotSent(f"sign_in_refused_{exc.smtp_code}", down=True) from None
    except smtplib.SMTPResponseException as exc:
        raise NotSent(f"refused_{exc.smtp_code}") from None
    except ssl.SSLError:
        raise NotSent("certificate_or_tls", down=True) from None
    except (smtplib.SMTPException, OSError) as exc:
        raise NotSent(_kind(exc), down=True) from None


def _connect(settings: Settings) -> smtplib.SMTP:
    host, port = settings.smtp_host or "", settings.smtp_port or _PORTS[settings.smtp_security]
    context = ssl.create_default_context()
    if settings.smtp_security == "ssl":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
    server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    try:
        if settings.smtp_security == "starttls":
            server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server


def _message(settings: Settings, letter: Letter, clock: Clock) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = letter.subject
    message["From"] = Address(SENDER_NAME, addr_spec=settings.smtp_from or "")
    message["To"] = letter.address
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{letter.key}@{(settings.smtp_from or '').partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def send_sms(settings: Settings, letter: Letter) -> None:
    """POST one message to the gateway. Raise `NotSent`."""
    if not settings.sms_url:
        raise NotSent("not_configured")
    headers = {"Content-Type": "application/json", "Idempotency-Key": letter.key}
    if settings.sms_token:
        headers["Authorization"] = f"Bearer {settings.sms_token}"
    values = {"{mobile}": letter.address, "{text}": letter.text, "{key}": letter.key}
    data = orjson.dumps(_filled(orjson.loads(settings.sms_body), values))
    # Loaded by who sends: a web process, which only files what is to be sent, does without its 4 MB.
    import requests

    try:
        # A redirect would carry the message, and who gets it, to a server that nobody named.
        answer = requests.post(
            settings.sms_url, data=data, headers=headers, timeout=TIMEOUT_S, allow_redirects=False
        )
    except requests.RequestException as exc:
        raise NotSent(_kind(exc), down=True) from None
    if not 200 <= answer.status_code < 300:
        wrong = answer.status_code in (400, 404, 422)
        raise NotSent(f"http_{answer.status_code}", final=wrong, down=not wrong)
    if settings.sms_success and settings.sms_success not in answer.text[:10_000]:
        raise NotSent("gateway_refused")


def _filled(body: Any, values: dict[str, str]) -> Any:
    """The values put into the texts of a JSON body, never into its form: no text can add a field."""
    if isinstance(body, str):
        for name, value in values.items():
            body = body.replace(name, value)
        return body
    if isinstance(body, list):
        return [_filled(part, values) for part in body]
    return {name: _filled(part, values) for name, part in body.items()} if isinstance(body, dict) else body


def send_robot(letter: Letter) -> None:
    """Let a group robot say something; `address` is its apprise URL. Raise `NotSent`."""
    robot = robot_of(letter.address)
    if robot is None:
        raise NotSent("robot_address", final=True)
    # The library's log lines name hosts and tokens' beginnings; what went wrong is told by the code below.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    if not robot.notify(body=letter.text):
        raise NotSent("robot_refused_or_unreachable")


def _kind(exc: Exception) -> str:
    """What kind of failure it was, without its words. smtplib hides a timeout in its "disconnected"."""
    import requests

    if isinstance(exc, TimeoutError | requests.Timeout) or isinstance(exc.__context__, TimeoutError):
        return "timeout"
    if isinstance(exc, smtplib.SMTPException) and not isinstance(exc, smtplib.SMTPServerDisconnected):
        return "protocol"
    return "unreachable"
