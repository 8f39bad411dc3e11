"""The reference page of the features, written from the registry: ``python -m trading.features.catalogue > FILE``."""

import sys

from trading.features.feature import COLUMNS, Feature, Group, Input
from trading.features.registry import FEATURES

_HEAD = """# The feature vector

{count} numbers for each bar of an instrument. This page is generated from the registry:
`python -m trading.features.catalogue > docs/features.md`.

- **Warm-up** is how many bars a value needs, its own included. It never depends on an older one: the same bars give the
  same number over a whole recording, at its end, or bar by bar.
- Before the warm-up, where an input is missing, and where the value is undefined, it is NaN. Nothing is filled: a
  missing bar, or a hole in an input, starts the warm-up of what reads it anew.
- **Timeframe** is the length of the steps that a feature looks at, in bars; with a **cadence** above 1 it is measured
  when the clock (UTC) completes that many bars and stands until the next time.
- A *fraction* is of the price; lengths in names are in bars.
"""

_TABLE = "| feature | gives | unit | inputs | warm-up | timeframe | cadence |\n|---|---|---|---|--:|--:|--:|"


def page() -> str:
    """The page as Markdown."""
    parts = [_HEAD.format(count=len(FEATURES)), _inputs(), *(_group(group) for group in Group)]
    return "\n".join(parts)


def _inputs() -> str:
    rows = [f"| {each} | {', '.join(f'`{column}`' for column in COLUMNS[each])} |" for each in Input]
    return "\n".join(["## Inputs", "", "| input | columns, one value a bar |", "|---|---|", *rows, ""])


def _group(group: Group) -> str:
    own = [feature for feature in FEATURES if feature.group is group]
    rows = [_row(feature) for feature in own]
    return "\n".join([f"## {group.value[0].upper()}{group.value[1:]} ({len(own)})", "", _TABLE, *rows, ""])


def _row(feature: Feature) -> str:
    inputs = ", ".join(feature.inputs)
    return (
        f"| `{feature.name}` | {feature.description} | {feature.unit} | {inputs} | {feature.warmup} "
        f"| {feature.timeframe} | {feature.cadence} |"
    )


if __name__ == "__main__":
    sys.stdout.write(page())
