"""What every answer says to the browser, and what becomes of an error that nobody expected."""

from __future__ import annotations

import logging
import secrets
from html import escape

from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_ALWAYS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # not no-referrer: browsers would then hide the origin of our own forms too
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_A_YEAR_S = 31_536_000

_log = logging.getLogger("orchestration_pipelines.console")


class Headers:
    """ASGI middleware: every answer says how it may be used; a fault is logged under a number, and shows that alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
                if scope["scheme"] == "https":
                    headers.setdefault("strict-transport-security", f"max-age={_A_YEAR_S}")
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            number = secrets.token_hex(6)
            _log.exception("fault %s: %s %s", number, scope["method"], scope["path"])
            if begun:
                raise  # half an answer is sent: the server must break the connection
            page = _FAULT.format(number=number, home=escape(f"{scope.get('root_path', '')}/"))
            await HTMLResponse(page, 500)(scope, receive, sending)


#: made without the templates, which may be what is broken
_FAULT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Something is broken</title>
<link rel="stylesheet" href="{home}static/console.css">
</head>
<body>
<main class="alone">
<section class="panel gate">
  <h1>Something is broken here</h1>
  <p>Nothing was changed. Tell whoever runs this the number <code>{number}</code>: the log has the rest.</p>
  <p><a class="button" href="{home}">Go on</a></p>
</section>
</main>
</body>
</html>
"""
