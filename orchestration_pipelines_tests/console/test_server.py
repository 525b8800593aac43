"""The server in front: what it believes, over TLS and behind a proxy."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest

from orchestration_pipelines.console.viewer import COOKIE
from orchestration_pipelines.engine import access
from orchestration_pipelines.engine.desk import Desk
from orchestration_pipelines_tests.console.conftest import PASSWORD, serving

FORWARDED = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}


def _refused_from(desk: Desk) -> str:
    with desk.connection() as connection:
        return access.recorded(connection, person="ann", at_most=1)[0].address


def test_a_named_proxy_is_believed_and_nobody_else(desk: Desk) -> None:
    """Where somebody comes from is what the proxy says; without one it is where the connection comes from."""
    wrong = {"person": "ann", "password": "wrong"}
    with serving(desk, forwarded_allow_ips=["127.0.0.1"]) as address:
        answer = httpx.post(f"{address}/sign-in", data=wrong, headers=FORWARDED)
    assert answer.status_code == 401
    assert answer.headers["strict-transport-security"]
    assert _refused_from(desk) == "203.0.113.9"
    for proxies in ([], ["192.0.2.1"]):
        with serving(desk, forwarded_allow_ips=proxies) as address:
            answer = httpx.post(f"{address}/sign-in", data=wrong, headers=FORWARDED)
        assert answer.status_code == 401
        assert "strict-transport-security" not in answer.headers
        assert _refused_from(desk) == "127.0.0.1"


def test_it_speaks_tls(desk: Desk, tmp_path: Path) -> None:
    """With a certificate of one's own, from sign-in to a page."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("SKIPPED: there is no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, *made], check=True, capture_output=True)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with (
        serving(desk, ssl_certfile=certificate, ssl_keyfile=key) as address,
        httpx.Client(base_url=address.replace("http://127.0.0.1", "https://localhost"), verify=trusting) as browser,
    ):
        came = browser.post("/sign-in", data={"person": "ann", "password": PASSWORD, "next": "/account"})
        assert (came.status_code, came.headers["location"]) == (303, "/account")
        assert browser.cookies[COOKIE]
        assert "Signed in as" in browser.get("/account").text
