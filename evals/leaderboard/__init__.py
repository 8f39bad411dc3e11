"""The leaderboard over many seasons: who is better than whom, how sure that is, and what luck would have given."""

from evals.leaderboard.board import Board, Filters, leaderboard
from evals.leaderboard.entry import Entry, Pair, SuiteMeasures
from evals.leaderboard.season import PlayedSeason

__all__ = ["Board", "Entry", "Filters", "Pair", "PlayedSeason", "SuiteMeasures", "leaderboard"]
