"""How a client reaches the server: through the process's own streams, or over HTTP on loopback."""

import socket
from typing import Any

from mcp.server import Server
from mcp.server.stdio import stdio_server


async def serve_stdio(server: Server[Any]) -> None:
    """Speak the protocol on stdin and stdout until the client closes them; nothing else is written there."""
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def serve_http(server: Server[Any], listening: socket.socket, *, host: str, path: str) -> None:
    """Answer on a socket until stopped. Requests for another host, or from a page elsewhere, are refused."""
    import uvicorn

    config = uvicorn.Config(http_app(server, host=host, path=path), log_level="warning", timeout_graceful_shutdown=2)
    uvicorn.Server(config).run(sockets=[listening])


def http_app(server: Server[Any], *, host: str, path: str) -> Any:
    """The application that speaks the protocol under ``path``; each request stands by itself."""
    return server.streamable_http_app(streamable_http_path=path, stateless_http=True, json_response=True, host=host)
