"""How a command becomes a program that runs until it is told to stop."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runtime.lifecycle import Main


def be(main: "Main", *, quietly: bool = False) -> None:
    """Be a program until told to stop; ``quietly``: only what is amiss is logged."""
    from runtime import logs
    from runtime.lifecycle import run_until_stopped
    from runtime.settings import RuntimeSettings

    settings = RuntimeSettings()
    logs.configure(settings.model_copy(update={"log_level": "warning"}) if quietly else settings)
    run_until_stopped(main, settings.parent_fd)
