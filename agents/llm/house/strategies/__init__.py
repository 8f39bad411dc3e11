"""The rules of the house models, one file a strategy, found by looking through this folder.

A strategy scores instruments from indicators and turns reports into target weights; it sizes no order.
"""

from agents.llm.house.strategies.discovery import discover_strategies
from agents.llm.house.strategies.strategy import Evidence, Row, Score, Strategy

__all__ = ["Evidence", "Row", "Score", "Strategy", "discover_strategies"]
