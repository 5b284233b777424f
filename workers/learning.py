"""Knowing what parameters were chosen, before anything is folded with them."""

from typing import TYPE_CHECKING

import structlog

from db import parameters
from workers.folding import Folder

if TYPE_CHECKING:
    from db.connections import Connection

logger = structlog.get_logger(__name__)


async def learn(connection: "Connection", folder: Folder) -> None:
    """Let ``folder`` know what was chosen since it was told last."""
    for refusal in folder.timelines.learn(await parameters.chosen(connection, folder.timelines.newest)):
        logger.warning("parameters.refused", reason=refusal)
