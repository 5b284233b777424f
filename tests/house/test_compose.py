"""The compose file, as far as it can be judged without an engine."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from db.settings import RetentionSettings
from tests.house.compose import FILE, LONG_RUNNING, PASSWORD, STORES, WATCHING, services


def limits(service: str) -> dict[str, str]:
    found: dict[str, str] = services()[service]["deploy"]["resources"]["limits"]
    return found


def mebibytes(size: str) -> int:
    return int(size[:-1]) * {"m": 1, "g": 1024}[size[-1]]


@pytest.mark.slow
def test_the_file_is_valid_against_the_compose_schema() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", FILE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "ok -- validation done\n") == (checked.returncode, checked.stdout), checked.stderr


@pytest.mark.parametrize("environment", [{}, {"HELIOGRAPH_POSTGRES_PASSWORD": ""}])
def test_it_refuses_to_start_without_a_password(environment: dict[str, str]) -> None:
    with pytest.raises(LookupError, match="HELIOGRAPH_POSTGRES_PASSWORD"):
        services(environment)


def test_no_password_is_written_in_it() -> None:
    for service in services({"HELIOGRAPH_POSTGRES_PASSWORD": "chosen"}).values():
        environment = service.get("environment", {})
        secrets = {value for name, value in environment.items() if "PASSWORD" in name}
        assert secrets <= {"chosen"}


def test_it_has_the_stores_and_one_service_a_role() -> None:
    assert {*STORES, *LONG_RUNNING, *WATCHING, "migrate"} == set(services())


def test_every_role_comes_from_the_one_image() -> None:
    roles = {*LONG_RUNNING, "migrate"}
    assert 1 == len({services()[role]["image"] for role in roles})


@pytest.mark.parametrize("service", [*STORES, *LONG_RUNNING, *WATCHING])
def test_what_runs_long_has_a_health_check_and_comes_back(service: str) -> None:
    assert "CMD" == services()[service]["healthcheck"]["test"][0]
    assert "unless-stopped" == services()[service]["restart"]


@pytest.mark.parametrize("service", [*STORES, *LONG_RUNNING, *WATCHING, "migrate"])
def test_every_service_is_limited(service: str) -> None:
    assert {"cpus", "memory"} == set(limits(service))


def test_backfill_is_given_less_than_the_live_workers() -> None:
    live, backfill = limits("worker-live"), limits("worker-backfill")
    assert float(backfill["cpus"]) < float(live["cpus"])
    assert mebibytes(backfill["memory"]) < mebibytes(live["memory"])


def test_the_stores_are_reached_from_inside_only() -> None:
    assert yaml.safe_load(FILE.read_text())["networks"]["inside"] == {"internal": True}
    for store in STORES:
        assert ["inside"] == services()[store]["networks"]
        assert "ports" not in services()[store]


def test_the_api_is_published_on_the_loopback_only() -> None:
    assert ["127.0.0.1:8000:8000"] == services()["api"]["ports"]


def test_the_data_outlives_its_container() -> None:
    assert "postgres:18" == services()["postgres"]["image"]
    assert ["database:/var/lib/postgresql"] == services()["postgres"]["volumes"]
    assert "database" in yaml.safe_load(FILE.read_text())["volumes"]


def test_roles_wait_for_the_schema() -> None:
    for role in LONG_RUNNING:
        assert "service_completed_successfully" == services()[role]["depends_on"]["migrate"]["condition"]


def test_who_watches_is_asked_for_and_is_published_on_the_loopback_only() -> None:
    for service in WATCHING:
        assert ["watching"] == services()[service]["profiles"]
        assert all(port.startswith("127.0.0.1:") for port in services()[service]["ports"])
        mounted = [each.partition(":")[0] for each in services()[service]["volumes"] if each.startswith("./")]
        assert [] == [path for path in mounted if not (FILE.parent / path).exists()]


def test_every_role_exports_where_prometheus_looks() -> None:
    config = yaml.safe_load((FILE.parent / "deploy" / "prometheus" / "prometheus.yml").read_text())
    _, roles = config["scrape_configs"]
    [looked] = roles["dns_sd_configs"]
    assert set(LONG_RUNNING) - {"api"} == set(looked["names"])
    for role in looked["names"]:
        environment = services()[role]["environment"]
        assert str(looked["port"]) == environment["HELIOGRAPH_METRICS_PORT"]


def test_how_long_ticks_are_kept_and_where_they_are_archived_is_chosen_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def settings(**chosen: str) -> RetentionSettings:
        for name, value in services({**PASSWORD, **chosen})["scheduler"]["environment"].items():
            monkeypatch.setenv(name, value)
        return RetentionSettings()

    assert RetentionSettings.model_construct() == settings()
    kept = settings(HELIOGRAPH_RETENTION_TRADES_DAYS="90", HELIOGRAPH_RETENTION_EXPORT_DIR="/archive")
    assert (90, 0, Path("/archive")) == (kept.trades_days, kept.quotes_days, kept.export_dir)
    assert ["archive:/archive"] == services()["scheduler"]["volumes"]
    assert "archive" in yaml.safe_load(FILE.read_text())["volumes"]
