"""Where the stores are that a command is to ask: those that are named, or those of a running ``up``."""

from pathlib import Path

from api.settings import ApiSettings
from bus.settings import BusSettings
from db.settings import DatabaseSettings
from heliograph.data_folders import default_folder, page_of
from heliograph.embedded.postgres import Postgres
from heliograph.embedded.valkey import Valkey
from heliograph.settings import StackSettings
from market.errors import StackError


def database_url(data_dir: Path | None) -> str:
    """Return PostgreSQL's address: of the folder, else of the environment, else of ``up``'s own folder.

    Raises StackError when nothing of these is there.
    """
    settings = DatabaseSettings()
    if data_dir is None and "url" in settings.model_fields_set:
        return settings.url.get_secret_value()
    return Postgres(_home(data_dir), None).url


def page(data_dir: Path | None) -> str:
    """Return the API's address: of the folder, else of the environment, else of ``up``'s own folder."""
    settings = ApiSettings()
    if data_dir is None and "port" in settings.model_fields_set:
        return f"http://{settings.host}:{settings.port}/"
    folder = data_dir or StackSettings().data_dir or default_folder("up")
    if address := page_of(folder):
        return address
    if data_dir is None:
        return f"http://{settings.host}:{settings.port}/"
    raise StackError(_nothing_runs(folder))


def redis_url(data_dir: Path | None) -> str:
    """Return Redis' address, found the same way."""
    settings = BusSettings()
    if data_dir is None and "url" in settings.model_fields_set:
        return settings.url.get_secret_value()
    return Valkey(_home(data_dir), None).url


def _home(data_dir: Path | None) -> Path:
    """Return the folder of the embedded stores that run."""
    folder = data_dir or StackSettings().data_dir or default_folder("up")
    stores = folder.absolute() / "stores"
    home = stores.readlink() if stores.is_symlink() else stores
    if not (home / "postgres" / "postmaster.pid").exists():
        raise StackError(_nothing_runs(folder))
    return home


def _nothing_runs(folder: Path) -> str:
    return (
        f"nothing runs in {folder}: start `heliograph up`, name its folder with --data-dir, "
        "or set HELIOGRAPH_DATABASE_URL and HELIOGRAPH_REDIS_URL"
    )
