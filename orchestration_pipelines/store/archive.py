"""A backup's file: a tar of database dumps and files, with a manifest that says what each must be."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

_MANIFEST = "manifest.json"
#: what this version writes and reads
FORMAT = 1


class BackupRefused(RuntimeError):
    """The backup cannot be made or restored; nothing was changed, and the message says what to do."""


@dataclass
class Manifest:
    """What a backup holds."""

    product: str  #: the version of the product that made it
    made_at: str
    revision: str  #: of the product's database
    server: int  #: PostgreSQL's major version
    databases: dict[str, str]  #: what follows the product's database's name, to the dump's place in the archive
    roles: list[str] = field(default_factory=list)  #: those that something was granted to
    members: list[list[Any]] = field(default_factory=list)  #: role, its member, whether that one logs in
    digests: dict[str, str] = field(default_factory=dict)  #: SHA-256 by place
    format: int = FORMAT


def places(folder: Path) -> Iterator[Path]:
    """The files below a folder, by their place in it."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder)


def pack(folder: Path, manifest: Manifest, target: Path) -> None:
    """Write ``folder`` and its manifest as one file that its owner alone can read; it is there whole or not at all."""
    manifest.digests = {str(place): digest(folder / place) for place in places(folder)}
    (folder / _MANIFEST).write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as output:
            with tarfile.open(fileobj=output, mode="w") as tar:
                for place in (_MANIFEST, *manifest.digests):
                    tar.add(folder / place, place)
            output.flush()
            os.fsync(output.fileno())
        os.link(partial, target)  # refused, and not replaced, if somebody else's is there now
    finally:
        partial.unlink(missing_ok=True)


def unpack(archive: Path, folder: Path) -> Manifest:
    """Take a backup apart and check every byte of it; :class:`BackupRefused` if it is not what it was."""
    try:
        with tarfile.open(archive, "r:") as tar:
            for member in tar:
                _extract(tar, member, folder)
        written = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        if written.get("format") != FORMAT:
            raise BackupRefused(f"{archive} was made by a newer version of the product ({written.get('product')})")
        manifest = Manifest(**written)
    except (OSError, tarfile.TarError, ValueError, TypeError, AttributeError) as error:
        raise BackupRefused(f"{archive} is not a backup that can be read: {error}") from error
    found = {str(place): digest(folder / place) for place in places(folder) if str(place) != _MANIFEST}
    for place in sorted(found.keys() | manifest.digests.keys()):
        if found.get(place) != manifest.digests.get(place):
            raise BackupRefused(f"{archive} is damaged: {place} is not what the manifest says. Use another backup.")
    return manifest


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """One plain file, to its place below ``folder``; a link, or a way out of it, is in no backup of ours."""
    place, content = PurePosixPath(member.name), tar.extractfile(member) if member.isreg() else None
    if content is None or place.is_absolute() or ".." in place.parts:
        raise BackupRefused(f"{member.name!r} is nothing that a backup holds: this file was not made by the product")
    (folder / place).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with content, (folder / place).open("xb") as output:
        shutil.copyfileobj(content, output)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def copy_files(source: Path, target: Path) -> int:
    """Copy the files below ``source`` to the same places below ``target``; returns how many."""
    count = 0
    for place in places(source) if source.is_dir() else ():
        (target / place).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(source / place, target / place)
        count += 1
    return count
