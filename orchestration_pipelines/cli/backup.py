"""``orchestrate backup`` and ``orchestrate restore``: everything into one file, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from orchestration_pipelines.cli.output import as_json, print_json, tell
from orchestration_pipelines.engine.deployment import deploy
from orchestration_pipelines.store import backup as backups
from orchestration_pipelines.store import urls


@click.command()
@click.argument("target", metavar="FILE_OR_DIR", type=click.Path(path_type=Path))
@as_json
def backup(target: Path, wants_json: bool) -> None:
    """Write all databases, artefacts and the outbox to one file, as they are at this moment; work goes on meanwhile."""
    deployment = deploy(tell=tell)
    if target.is_dir():
        target = target / f"orchestration-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar"
    manifest = backups.save(deployment.url, deployment.home, target)
    names = [urls.database_of(deployment.url) + suffix for suffix in manifest.databases]
    if wants_json:
        print_json({"file": str(target), "bytes": target.stat().st_size, "databases": names})
    else:
        click.echo(f"{target}: {', '.join(names)}; {target.stat().st_size:,} bytes, readable by you alone")


@click.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--force", is_flag=True, help="Replace databases that hold something.")
@as_json
def restore(source: Path, force: bool, wants_json: bool) -> None:
    """Bring back what `orchestrate backup` wrote. Stop `orchestrate up` first."""
    deployment = deploy(tell=tell)
    base = urls.database_of(deployment.url)
    restored = backups.restore(deployment.url, deployment.home, source, force=force, tell=tell)
    names = [base + suffix for suffix in restored.manifest.databases]
    if wants_json:
        print_json({"databases": names, "files": restored.files, "made_at": restored.manifest.made_at})
    else:
        click.echo(f"restored the state of {restored.manifest.made_at}: {', '.join(names)} and {restored.files} files")
        click.echo("the audit record of every case verifies")
        tell("accounts and clients are as they were then: look through orchestrate users list and clients list")
    if restored.logins:
        tell(f"set passwords anew for {', '.join(restored.logins)}: a backup holds none")
