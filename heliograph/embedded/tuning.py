"""PostgreSQL's settings for a machine that does other things too."""

import os

_MIB = 1 << 20

DURABLE = {"synchronous_commit": "on", "fsync": "on"}
THROWAWAY = {"synchronous_commit": "off", "fsync": "off", "full_page_writes": "off", "autovacuum": "off"}


def memory_bytes() -> int:
    """Return the machine's memory."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def settings(memory: int, *, durable: bool) -> dict[str, str]:
    """Return PostgreSQL's settings for ``memory`` bytes; without ``durable`` a crash may lose everything."""
    buffers = min(max(memory // 8, 64 * _MIB), 1024 * _MIB) if durable else 64 * _MIB
    return {
        "shared_buffers": f"{buffers // _MIB}MB",
        "effective_cache_size": f"{max(memory // 2 // _MIB, 128)}MB",
        "maintenance_work_mem": "128MB",
        "work_mem": "16MB",
        "max_connections": "100",
        "max_wal_size": "2GB",
        "min_wal_size": "256MB" if durable else "80MB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        **(DURABLE if durable else THROWAWAY),
    }
