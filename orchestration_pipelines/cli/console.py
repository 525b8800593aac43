"""``orchestrate console``: the reviewers' web application alone; ``orchestrate up`` starts it beside Dagster."""

from __future__ import annotations

import ipaddress
import logging
from pathlib import Path

import click

from orchestration_pipelines.cli.output import Problem, tell
from orchestration_pipelines.cli.ports import refuse_busy
from orchestration_pipelines.cli.session import deployed, shipped_folders, workflow_folder

PORT = 3001
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True)
@click.option("--certfile", type=_FILE, help="A certificate (PEM): the console speaks TLS.")
@click.option("--keyfile", type=_FILE, help="The certificate's key, where it is not in the same file.")
@click.option(
    "--behind-proxy",
    "proxies",
    multiple=True,
    metavar="ADDRESS",
    help="A proxy in front speaks TLS: what it says from this address is believed. May be repeated.",
)
@click.option("--name", "names", multiple=True, help="A name by which browsers ask for it (Host). May be repeated.")
@click.option(
    "--workflow",
    "workflows",
    multiple=True,
    metavar="WORKFLOW",
    help="Take its cases in over the interface: a shipped workflow, or a folder of your own; those that are shipped, "
    "if none is named. May be repeated.",
)
@click.option("--dagster", metavar="URL", help="Where Dagster's UI is, for links to runs.")
def console(
    host: str,
    port: int,
    certfile: Path | None,
    keyfile: Path | None,
    proxies: tuple[str, ...],
    names: tuple[str, ...],
    workflows: tuple[str, ...],
    dagster: str | None,
) -> None:
    """Serve the reviewer console, until Ctrl-C."""
    _refuse_open(host, certfile, keyfile, proxies, names)
    refuse_busy(port, "--port", host=host)
    deployment = deployed()

    # FastAPI takes half a second, which no other verb should pay
    from orchestration_pipelines.console.app import LOOPBACK, create_app
    from orchestration_pipelines.console.server import server
    from orchestration_pipelines.engine import accounts
    from orchestration_pipelines.engine.desk import Desk

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    folders = [workflow_folder(name) for name in workflows] or shipped_folders()
    with Desk(deployment.url, dagster=dagster, folders=folders) as desk:
        with desk.connection() as connection:
            if not accounts.has_account(connection):
                tell(FIRST)
        scheme = "https" if certfile else "http"
        tell(f"the console is at {scheme}://{names[0] if names else host}:{port} (Ctrl-C ends it)")
        server(
            create_app(desk, (*LOOPBACK, *names)),
            host=host,
            port=port,
            ssl_certfile=certfile,
            ssl_keyfile=keyfile,
            forwarded_allow_ips=list(proxies),
        ).run()


FIRST = (
    "nobody has an account for the console yet: orchestrate users create NAME --admin makes the first, "
    "orchestrate users pilot those of the pilot's test people"
)


def _refuse_open(
    host: str, certfile: Path | None, keyfile: Path | None, proxies: tuple[str, ...], names: tuple[str, ...]
) -> None:
    """Passwords and sessions do not go over a network in the open, and a name that leads here is not just anybody's."""
    if keyfile is not None and certfile is None:
        raise Problem("--keyfile is the key of a certificate: name that too, with --certfile")
    if "*" in proxies:
        raise Problem("--behind-proxy * would believe anybody: name the address of the proxy")
    if certfile is None and not proxies and not _is_loopback(host):
        raise Problem(
            f"the console does not listen at {host} in the open: give it a certificate (--certfile, --keyfile), or put "
            "a proxy that speaks TLS in front of it (--behind-proxy ADDRESS); without either it serves this machine "
            "alone (--host 127.0.0.1)"
        )
    if not names and not _is_loopback(host):
        raise Problem(f"say by which name browsers ask for the console at {host}: --name reviews.example.org")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
