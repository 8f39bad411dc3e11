"""The HTTP connections that LiteLLM keeps open, an event loop's own, and their end."""

import asyncio
import inspect

from agents.llm.runtime import litellm_module


async def close_connections() -> None:
    """Close what was opened on this event loop. Whoever runs a loop in which models are called ends it with this.

    Nothing happens where LiteLLM was never loaded. The next call opens new connections.
    """
    if not litellm_module.cache_info().currsize:
        return
    clients = litellm_module().in_memory_llm_clients_cache.cache_dict
    of_loop = f"-{id(asyncio.get_running_loop())}"  # LiteLLM ends the key of a client with the loop it belongs to
    for key in [key for key in clients if str(key).endswith(of_loop)]:
        client = clients.pop(key)
        close = getattr(client, "aclose", None) or getattr(client, "close", None)
        closing = close() if close is not None else None
        if inspect.isawaitable(closing):
            await closing
    await _close_session_of_streams()


async def _close_session_of_streams() -> None:
    """Close the session, on this loop, of the one client through which LiteLLM reads most streams.

    The client itself goes on: it opens a session for whichever loop it is used on next.
    """
    client = vars(litellm_module()).get("module_level_aclient")  # made at first use
    session = getattr(getattr(getattr(client, "client", None), "_transport", None), "client", None)
    if session is not None and getattr(session, "_loop", None) is asyncio.get_running_loop():
        await session.close()
