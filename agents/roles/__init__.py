"""The roles of a desk, one AgentSpec a module, found by looking through this folder.

Prompts are in ``prompts``; when each role speaks is decided in ``graphs``.
"""

from agents.roles.discovery import discover_roles

__all__ = ["discover_roles"]
