"""The MCP server: the desks' own tools over a run of the house, for any client that speaks the protocol.

Only here is the ``mcp`` library imported. A client reads and thinks as a desk does, at the run's newest round; it may
propose where that was allowed, and what it proposes is ruled on and never sent.
"""
