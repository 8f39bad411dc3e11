"""The log of a run that nobody watches: files under the home folder that never grow beyond their share."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

MAX_BYTES = 10_000_000
FILES = 5


@contextmanager
def logging_to(home: Path, *, max_bytes: int = MAX_BYTES, files: int = FILES) -> Iterator[Path]:
    """Everything of ours goes to ``<home>/logs/tradefloor.log`` as well: ``files`` of ``max_bytes`` each at most."""
    path = home / "logs" / "tradefloor.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=max_bytes, backupCount=files - 1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("tradefloor")
    before = logger.level
    logger.addHandler(handler)
    if logger.getEffectiveLevel() > logging.INFO:
        logger.setLevel(logging.INFO)
    try:
        yield path
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        handler.close()
