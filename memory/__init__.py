"""Trade memory: earlier decisions by the state they were made in, lessons, open plans; all of it point-in-time.

Everything here is derived from journal events. No agents, tools or seasons: what a desk is told is their business.
"""

from memory.chronicle import Chronicle
from memory.episode import Episode
from memory.recall import DeskMemory, Shelves

__all__ = ["Chronicle", "DeskMemory", "Episode", "Shelves"]
