"""Keys from a file: what ``.env`` adds to the environment."""

import os
from pathlib import Path


def load_env_file(path: Path = Path(".env")) -> tuple[str, ...]:
    """Put what ``path`` names and the environment lacks into the environment; gives the names, never the values.

    A file that is not there adds nothing, and neither does a name without a value: a copy of ``.env.example`` that was
    only half filled in is no mistake.
    """
    from dotenv import dotenv_values

    if not path.is_file():
        return ()
    added = {name: value for name, value in dotenv_values(path).items() if value and not os.environ.get(name)}
    os.environ.update(added)
    return tuple(sorted(added))
