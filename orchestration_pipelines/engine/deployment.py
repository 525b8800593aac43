"""Where the product runs: its home, its databases, its tools' addresses. The composition root of every driver."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from orchestration_pipelines.engine.engine import Engine
from orchestration_pipelines.engine.workflow import Workflow
from orchestration_pipelines.store import schema, urls
from orchestration_pipelines.store.connection import connect
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer

#: where the reviewers' console is, if one runs here: runs link to its pages
CONSOLE_URL = "ORCHESTRATION_CONSOLE_URL"


@dataclass(frozen=True)
class Deployment:
    """One home and the server behind it."""

    home: Home
    url: str  #: the product's database, as its owner
    env: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def dagster_url(self) -> str:
        """Dagster's own database on the same server, as dagster-postgres wants it."""
        return urls.sqlalchemy_url(urls.sibling(self.url, "dagster"), "psycopg2")

    def tool_url(self, tool: str) -> str:
        """Where a tool's system is: ``ORCHESTRATION_TOOL_NAME_URL``, or a database beside the product's."""
        return self.env.get(f"ORCHESTRATION_TOOL_{tool.upper()}_URL") or urls.sibling(self.url, tool)

    def prepare(self) -> None:
        """Make the databases and bring the schema up to date; refuse one that does not protect its record."""
        urls.check_server(self.url)
        urls.ensure_database(self.url)
        urls.ensure_database(urls.sibling(self.url, "dagster"))
        schema.migrate(self.url)
        with connect(self.url, role=None) as connection:
            schema.refuse_unprotected(connection)

    def engine(self, workflow: Workflow, clock: Callable[[], datetime] | None = None) -> Engine:
        """The engine of a workflow here; its tools' systems are set up where the workflow says how."""
        for tool, set_up in getattr(workflow.package, "TOOL_SETUP", {}).items():
            urls.ensure_database(self.tool_url(tool))
            set_up(self.tool_url(tool))
        return Engine(
            self.url,
            workflow,
            clock=clock,
            tool_urls={tool: self.tool_url(tool) for tool in workflow.tools},
        )


def deploy(
    env: Mapping[str, str] | None = None, start: Path | None = None, tell: Callable[[str], None] = lambda _: None
) -> Deployment:
    """The deployment that the environment describes; the embedded server is started if it is the one."""
    env = os.environ if env is None else env
    home = Home.from_environment(env, start).ensure()
    if home.database_url is not None:
        return Deployment(home, home.database_url, env)
    server = EmbeddedServer(home)
    server.start(tell)
    return Deployment(home, server.url(), env)
