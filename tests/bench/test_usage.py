"""Which part of the stack a process is."""

from bench.usage import part_of


def test_a_process_is_told_by_its_command_line() -> None:
    told = {
        "python -m heliograph ingest live": "ingest live",
        "python -m heliograph worker scoring": "worker scoring",
        "postgres: heliograph copy_1 [local] idle": "PostgreSQL",
        "/lib/valkey-server unixsocket:/dev/shm/x/v": "Valkey",
        "python -m sim --venue binance": "venue",
    }
    assert list(told.values()) == [part_of(command.split()) for command in told]


def test_what_is_no_part_is_left_out() -> None:
    assert part_of(["wrk", "-t1"]) is None
