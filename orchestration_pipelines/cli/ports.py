"""The ports that the web pages listen at: free, or refused with the option that chooses another."""

from __future__ import annotations

import socket
import time

from orchestration_pipelines.cli.output import Problem


def refuse_busy(port: int, option: str, patience_s: float = 0.0, host: str = "127.0.0.1") -> None:
    """Raise unless the port can be listened at. A server that was just killed may hold it a moment longer."""
    until = time.monotonic() + patience_s
    while (problem := _bind(host, port)) is not None:
        if time.monotonic() > until:
            raise Problem(f"port {port} cannot be used ({problem}): choose another with {option} {port + 10}")
        time.sleep(0.1)


def _bind(host: str, port: int) -> str | None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror
    return None
