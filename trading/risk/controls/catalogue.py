"""The reference page of the controls, written from them: ``python -m trading.risk.controls.catalogue > FILE``."""

import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

from trading.risk.controls import CONTROLS, Control
from trading.risk.limit_values import limit_text
from trading.risk.limits import Limits

_LIMITS = Path(__file__).parents[3] / "config" / "limits.toml"

_HEAD = """# The controls

Every order passes {count} controls, in this order; each lets it through, cuts it down or refuses it. This page is
generated: `python -m trading.risk.controls.catalogue > docs/controls.md`. What closes a position is never bounded by
size, confidence, volume or the collar over a window. Everything is in base units: a venue that trades contracts turns
them into base units at its border, so that no control needs a multiplier.

| control | says | counts over | unit | limits and defaults | rules of its findings |
|---|---|---|---|---|---|
"""

_DUTIES = """
## What is owed, and where it stands

The duties of a trading system from Regulation (EU) 2017/589 (RTS 6), SEC Rule 15c3-5 and the guidance of the FIA. A
test is named where it proves the duty; the rest says what is missing.

| # | duty | where it stands | test |
|--:|---|---|---|
"""


class Duty(NamedTuple):
    """One duty: where it is fulfilled or what is missing, and the test that proves it, as ``file::function``."""

    what: str
    where: str
    test: str


def _duties() -> tuple[Duty, ...]:
    text = (Path(__file__).parent / "duties.toml").read_text(encoding="utf-8")
    return tuple(Duty(**row) for row in tomllib.loads(text)["duty"])


DUTIES: tuple[Duty, ...] = _duties()


def page() -> str:
    """The page as Markdown."""
    limits = Limits.load(_LIMITS)
    rows = "".join(_row(control, limits) for control in CONTROLS)
    duties = "".join(
        f"| {number} | {duty.what} | {duty.where} | {f'`{duty.test}`' if duty.test else ''} |\n"
        for number, duty in enumerate(DUTIES, start=1)
    )
    return _HEAD.format(count=len(CONTROLS)) + rows + _breakers() + _DUTIES + duties


def _row(control: Control, limits: Limits) -> str:
    defaults = ", ".join(f"`{name}` {limit_text(getattr(limits, name)) or 'all'}" for name in control.limits)
    rules = ", ".join(f"`{rule}`" for rule in control.rules)
    return f"| `{control.rule}` | {control.says} | {control.scope} | {control.unit} | {defaults} | {rules} |\n"


def _breakers() -> str:
    from trading.risk.breakers import Breakers

    lines = [line.strip() for line in (Breakers.__doc__ or "").splitlines()]
    table = "\n".join(line.replace("``", "`") for line in lines if line.startswith("|"))
    return f"\n## Breakers\n\n{table}\n"


if __name__ == "__main__":
    sys.stdout.write(page())
