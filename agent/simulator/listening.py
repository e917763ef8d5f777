"""Ending a listening socket of asyncio without leaving a client's open."""

import asyncio


async def stop_listening(server: asyncio.Server) -> None:
    """Close `server`. On its own event loop.

    asyncio makes a connection of a client that it has accepted one turn later, and fails in silence, with the socket
    left open, if the server is closed by then.
    """
    for listener in server.sockets:
        asyncio.get_running_loop().remove_reader(listener.fileno())
    await asyncio.sleep(0)
    server.close()
