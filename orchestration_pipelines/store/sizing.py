"""The embedded server's settings, and those of them that depend on the machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_MB = 1 << 20

#: where Linux tells a container how much memory it may use (cgroup version 2, then 1)
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))

SETTINGS = {
    "listen_addresses": "",  # the socket alone
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_compression": "off",
    "checkpoint_timeout": "15min",
    "autovacuum_naptime": "10s",
    "jit": "off",
    # parallel plans put their memory into /dev/shm, of which a container often has 64 MB
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def settings_for(folder: Path) -> dict[str, str]:
    """The settings of a server whose files lie in ``folder``, on this machine as it now is."""
    free = shutil.disk_usage(folder).free
    return SETTINGS | {
        "shared_buffers": f"{shared_buffers_mb(memory_bytes())}MB",
        "max_wal_size": f"{max_wal_mb(free)}MB",
    }


def memory_bytes() -> int:
    """The machine's memory, or what this container may use of it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for place in _LIMITS:
        try:
            told = place.read_text().strip()
        except OSError:
            continue
        if told.isdigit():
            memory = min(memory, int(told))
    return memory


def shared_buffers_mb(memory: int) -> int:
    """An eighth of the memory, at most 512 MB: Dagster needs the rest."""
    return max(16, min(512, memory // 8 // _MB))


def max_wal_mb(free: int) -> int:
    """A tenth of the free disk for the log between checkpoints, at most 4 GB."""
    return max(128, min(4096, free // 10 // _MB))
