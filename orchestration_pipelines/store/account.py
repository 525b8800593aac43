"""The system account that PostgreSQL runs under when the product is run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

SERVICE_USER = "orchestration"
#: as root, where the server's files lie: its own user must reach them, and no other directory's mode is touched
SERVICE_ROOT = Path("/var/lib/orchestration-pipelines")


class ServerFailed(RuntimeError):
    """The embedded server cannot be had; the message says what to do instead."""


def is_root() -> bool:
    """PostgreSQL refuses to run as root: then it runs as the service user."""
    return os.geteuid() == 0


def user() -> str:
    """Who the operating system says is here. The environment is not asked: anybody may write another name there."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def owner() -> str:
    """The database role that owns the embedded server: named after the account it runs under."""
    if is_root():
        return SERVICE_USER
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        raise ServerFailed(
            f"the user id {os.getuid()} has no account on this machine, and PostgreSQL does not run without one: run "
            "as a user who has one, or set ORCHESTRATION_DATABASE_URL"
        ) from None


def run_as() -> dict[str, Any]:
    """For :mod:`subprocess`: the account, and an environment without secrets of the caller's."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    if not is_root():
        return {"env": environment}
    entry = pwd.getpwnam(SERVICE_USER)
    return {"env": environment, "user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def ensure_account(tell: Callable[[str], None]) -> None:
    """As root, make the service user and the folder of its servers."""
    if not is_root():
        return
    try:
        pwd.getpwnam(SERVICE_USER)
    except KeyError:
        _make_account()
        tell(f"PostgreSQL does not run as root: made the system user {SERVICE_USER} for it")
    ensure_root()


def ensure_root() -> None:
    """The folder of all servers' files, which others may pass through but not list or change."""
    SERVICE_ROOT.mkdir(parents=True, exist_ok=True)
    SERVICE_ROOT.chmod(0o711)  # whatever the umask is; the folder is ours


def _make_account() -> None:
    useradd = shutil.which("useradd") or "/usr/sbin/useradd"
    options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    try:
        made = subprocess.run([useradd, *options, SERVICE_USER], capture_output=True, text=True, check=False)
        problem = made.stderr.strip() if made.returncode != 0 and "already exists" not in made.stderr else None
    except OSError as error:
        problem = str(error)
    if problem:
        raise ServerFailed(
            f"PostgreSQL does not run as root, and no system user could be made for it ({problem}). "
            f"Make a user named {SERVICE_USER}, run as an ordinary user, or set ORCHESTRATION_DATABASE_URL."
        ) from None


def give(folder: Path) -> None:
    """Let the account own a folder of ours, for itself alone; refuse one that is somebody else's."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if is_root():
        entry = pwd.getpwnam(SERVICE_USER)
        if found.st_uid not in (0, entry.pw_uid):
            raise ServerFailed(f"{folder} belongs to somebody else: remove it and start again")
        os.chown(folder, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
    elif found.st_uid != os.getuid() or folder.is_symlink():
        raise ServerFailed(f"{folder} belongs to somebody else: set ORCHESTRATION_HOME to a shorter path")
    folder.chmod(0o700)
