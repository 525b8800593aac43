"""How people are told: into a file by default, by mail, or by a signed call of a web address.

``ORCHESTRATION_NOTIFY`` names the way: nothing (the file ``notifications.jsonl`` in the home),
``smtp://user:password@host:25?from=a@b&to=c@d`` (``smtps`` for TLS from the start; ``to`` for whoever has no address),
or ``https://…``, signed with ``ORCHESTRATION_NOTIFY_SECRET``. No message of ours repeats a password or a secret.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from orchestration_pipelines.store.outbox import Waiting

#: tells one notice, or raises :class:`NotTold`
Channel = Callable[[Waiting], None]
_TIMEOUT_S = 10.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_log = logging.getLogger(__name__)


class NotTold(RuntimeError):
    """A notice that could not be delivered; the message says why."""


class BadChannel(ValueError):
    """``ORCHESTRATION_NOTIFY`` cannot be meant so; the message says what to write."""


def channel(env: Mapping[str, str], home: Path) -> Channel:
    """The way that the environment names."""
    written = env.get("ORCHESTRATION_NOTIFY", "").strip()
    if not written:
        return _into_file(home / "notifications.jsonl")
    try:
        named = urlsplit(written)
        port = named.port
    except ValueError:
        raise BadChannel("ORCHESTRATION_NOTIFY is no address: write smtp://host:25?from=…&to=…, or https://…") from None
    if named.scheme in ("smtp", "smtps") and named.hostname:
        return _by_mail(named, port or (465 if named.scheme == "smtps" else 25))
    if named.scheme == "https" or (named.scheme == "http" and named.hostname in _LOOPBACK):
        secret = env.get("ORCHESTRATION_NOTIFY_SECRET", "")
        if not secret:
            raise BadChannel("ORCHESTRATION_NOTIFY_SECRET is not set: a web call is signed with it")
        return _by_call(written, secret.encode())
    raise BadChannel("ORCHESTRATION_NOTIFY is neither smtp://, smtps:// nor https:// (http:// to this machine alone)")


def body(notice: Waiting) -> dict[str, Any]:
    """What is told: opaque ids and times, no personal data of a case."""
    return {
        "key": notice.key,
        "workflow": notice.workflow,
        "person": notice.person,
        "kind": notice.kind,
        "text": notice.text,
        "task": notice.task_id,
        "at": notice.made_at.isoformat(),
    }


def signature(secret: bytes, at: int, content: bytes) -> str:
    """The signature of a call: HMAC-SHA256 (RFC 2104) over the time, a dot and the content."""
    return hmac.new(secret, str(at).encode() + b"." + content, sha256).hexdigest()


def _into_file(path: Path) -> Channel:
    def tell(notice: Waiting) -> None:
        line = json.dumps(body(notice), ensure_ascii=False) + "\n"
        try:
            # one write of one line, appended: two deliverers never mix theirs
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, line.encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            raise NotTold(f"{path.name} cannot be written: {error.strerror}") from None
        _log.info("%s to %s: %s", notice.kind, notice.person, notice.text)

    return tell


def _by_mail(named: SplitResult, port: int) -> Channel:
    asked = parse_qs(named.query)
    sender, fallback = asked.get("from", [""])[0], asked.get("to", [""])[0]
    host = named.hostname or ""
    if not sender:
        raise BadChannel("ORCHESTRATION_NOTIFY has no sender: write smtp://host:25?from=orchestration@example.org")

    def tell(notice: Waiting) -> None:
        to = notice.address or fallback
        if not to:
            raise NotTold(
                f"{notice.person} has no address: give them one (orchestrate people import), or a to= for all"
            )
        message = EmailMessage()
        message["From"], message["To"] = sender, to
        message["Subject"] = f"[{notice.workflow}] {notice.kind}"
        message["Message-ID"] = f"<{sha256(notice.key.encode()).hexdigest()}@{sender.rpartition('@')[2]}>"
        message.set_content(notice.text)
        try:
            if named.scheme == "smtps":
                connection: smtplib.SMTP = smtplib.SMTP_SSL(
                    host, port, timeout=_TIMEOUT_S, context=ssl.create_default_context()
                )
            else:
                connection = smtplib.SMTP(host, port, timeout=_TIMEOUT_S)
            with connection:
                if named.scheme == "smtp" and connection.has_extn("starttls"):
                    connection.starttls(context=ssl.create_default_context())
                if named.username:
                    connection.login(unquote(named.username), unquote(named.password or ""))
                connection.send_message(message)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise NotTold(f"{host}:{port} did not take the mail: {type(error).__name__}") from error

    return tell


class _Stay(urllib.request.HTTPRedirectHandler):
    """A signed call goes where it was meant to go, and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _by_call(address: str, secret: bytes) -> Channel:
    opener = urllib.request.build_opener(_Stay)
    host = urlsplit(address).hostname

    def tell(notice: Waiting) -> None:
        content = json.dumps(body(notice), ensure_ascii=False).encode()
        at = int(time())
        request = urllib.request.Request(  # noqa: S310 - https, or http to this machine: checked above
            address,
            content,
            {
                "Content-Type": "application/json",
                "Idempotency-Key": notice.key,
                "Orchestration-Signature": f"t={at},v1={signature(secret, at, content)}",
            },
        )
        try:
            with opener.open(request, timeout=_TIMEOUT_S):
                pass
        except urllib.error.HTTPError as error:
            raise NotTold(f"{host} answered {error.code}") from error
        except (OSError, ValueError) as error:
            raise NotTold(f"{host} did not take the call: {type(error).__name__}") from error

    return tell
