"""Who gets what: capital across desks, by the evidence that there is. Pure; nothing here moves money."""

from trading.allocation.capital import Allocation, AllocationRules, DeskScore, allocate

__all__ = ["Allocation", "AllocationRules", "DeskScore", "allocate"]
