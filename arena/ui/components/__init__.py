"""Pieces of pages: pure functions from a snapshot's values to markup. Nothing here imports a web framework.

Every text passes :func:`~arena.ui.components.markup.escape` because markup is only made by ``element``.
"""
