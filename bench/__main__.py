"""``python -m bench [SECTION ...]``: measure and print; all sections without any."""

import importlib
import platform
import sys
from pathlib import Path

NOT_SECTIONS = {"__main__", "figure"}
SECTIONS = tuple(sorted({path.stem for path in Path(__file__).parent.glob("[a-z]*.py")} - NOT_SECTIONS))
"""Every other module of this folder: it has a ``measure`` that gives figures."""


def main(wanted: list[str]) -> int:
    """Run the sections asked for, all without any."""
    unknown = sorted(set(wanted) - set(SECTIONS))
    if unknown:
        print(f"bench: no section {unknown[0]!r}; there are {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()} on {platform.machine()}, one process, figures of this run alone")
    for section in wanted or SECTIONS:
        print(f"\n{section}")
        for figure in importlib.import_module(f"bench.{section}").measure():
            print(figure.line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
