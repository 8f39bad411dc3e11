"""How verbs speak: one JSON document on stdout, or lines for a person."""

import json
import sys
from typing import Any

import typer

INTERRUPTED = 130
"""Exit code of what was stopped by Ctrl-C or SIGTERM."""


def say(text: str) -> None:
    """One line for a person, on stderr."""
    typer.echo(" ".join(text.split()), err=True)


def print_json(document: Any) -> None:
    """One JSON document on stdout. NaN is a mistake of ours and is not printed."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")
