"""A decision asked once more: the desk sits where it sat, decides again, and nothing it says is carried out."""

from arena.replay.replay import Answer, Difference, Replay, Wanted
from arena.replay.replayer import CAP_USD, Replayer

__all__ = ["CAP_USD", "Answer", "Difference", "Replay", "Replayer", "Wanted"]
