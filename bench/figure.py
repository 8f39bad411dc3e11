"""One measured figure, beside the target it is held against."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """``target`` says what is wanted in words, such as ``>= 40``; ``note`` what was measured."""

    name: str
    value: float
    unit: str
    target: str = ""
    note: str = ""

    def line(self) -> str:
        """The figure as a line of the report."""
        digits = 0 if abs(self.value) >= 1000 else 2
        wanted = f"  (wanted {self.target})" if self.target else ""
        noted = f"  {self.note}" if self.note else ""
        return f"  {self.name:<58}{self.value:>12,.{digits}f} {self.unit}{wanted}{noted}"
