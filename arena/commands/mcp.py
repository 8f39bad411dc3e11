"""``tradefloor mcp``: the desks' tools for a client of the Model Context Protocol, over stdio or on loopback."""

import asyncio
from pathlib import Path

from arena.access.door import LOOPBACK_NAMES
from arena.commands.output import say
from arena.commands.serve import listen
from arena.mcp.desk import Chosen
from arena.settings import Settings
from trading.domain.errors import ConfigError, RequestError

PATH = "/mcp"


def serve(
    chosen: Chosen, *, http: bool, host: str | None, port: int | None, home: Path | None, data_root: Path | None
) -> None:
    """Serve until the client leaves, or with ``http`` until stopped."""
    if not http and (host is not None or port is not None):
        raise RequestError("--host and --port are for --http; over stdio nothing listens")
    settings = Settings.load({"home": home, "data_root": data_root, "host": host, "port": port})
    if http and settings.host not in LOOPBACK_NAMES:
        raise ConfigError(f"host {settings.host!r}: the MCP server has no login, so it listens on loopback only")

    from arena.mcp.server import build_server
    from arena.mcp.transports import serve_http, serve_stdio

    server = build_server(settings, chosen)
    if not http:
        asyncio.run(serve_stdio(server))
        return
    with listen(settings) as listening:
        say(f"the MCP server is on http://{settings.host}:{settings.port}{PATH} (Ctrl-C stops it)")
        try:
            serve_http(server, listening, host=settings.host, path=PATH)
        except KeyboardInterrupt:  # the server has closed by then and passes the signal on
            say("stopped")
