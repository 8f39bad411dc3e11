"""The controls of the gate: one small function each, found by scan, asked in the order of their stages.

A control gets the intent, the quantity that the controls before it left, and the state; it answers None (nothing to
say) or a :class:`Finding` with the quantity that may stand, 0 to refuse. Adding one is writing a function under
``@control`` in a file of this folder. ``docs/controls.md`` is written from here.
"""

from trading.risk.controls.control import Control, Finding, Scope, control
from trading.risk.controls.discovery import CONTROLS, discover

__all__ = ["CONTROLS", "Control", "Finding", "Scope", "control", "discover"]
