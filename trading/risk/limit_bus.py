"""Changes of limits between machines: Redis pub/sub carries what the board of one home folder holds to the others.

The board stays the record: what arrives is written into the board of this home, where every process of it looks.
"""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from trading.domain.errors import ConfigError, TradefloorError
from trading.risk.limit_board import Actor, Change, Kind, LimitBoard

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import PubSub

CHANNEL = "tradefloor:limits"
_KEPT = "tradefloor:limits:changes"
_LOG = logging.getLogger("tradefloor.limits")
_POLL_S = 0.2


@contextmanager
def shared_limits(board: LimitBoard, url: str | None) -> Iterator[LimitBoard]:
    """``board``, sharing its changes over the Redis at ``url`` for as long as the context is open; alone without one.

    What was changed elsewhere before is taken in first. Raises ConfigError when Redis does not answer. When it goes
    away later, that is logged and tried again: what was heard so far stands.
    """
    if url is None:
        yield board
        return
    from redis import Redis, RedisError

    try:
        client: Redis = Redis.from_url(url, socket_connect_timeout=5, decode_responses=True)
        heard = client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]  # redis-py's own
        heard.subscribe(CHANNEL)
        for text in client.hvals(_KEPT):
            _take(board, str(text))
    except (RedisError, ValueError) as error:
        raise ConfigError(
            f"TRADEFLOOR_REDIS_URL: Redis does not answer ({error}); start it, or unset the URL"
        ) from error
    stop = threading.Event()
    listener = threading.Thread(target=_listen, args=(board, heard, stop), name="limits", daemon=True)
    listener.start()
    board.subscribe(lambda change: _publish(client, change))
    try:
        yield board
    finally:
        stop.set()
        listener.join(timeout=5)
        heard.close()
        client.close()


def _publish(client: "Redis", change: Change) -> None:
    from redis import RedisError

    text = json.dumps(asdict(change))
    try:
        # Kept first: who subscribes between the two finds it there.
        client.hset(_KEPT, change.origin, text)
        client.publish(CHANNEL, text)
    except RedisError as error:
        raise ConfigError(
            f"{change.name} is changed in this home folder alone: Redis does not answer ({error}); change it on the "
            "other machines as well"
        ) from error


def _listen(board: LimitBoard, heard: "PubSub", stop: threading.Event) -> None:
    from redis import RedisError

    while not stop.is_set():
        try:
            message: Any = heard.get_message(timeout=_POLL_S)
        except (RedisError, OSError) as error:
            _LOG.warning("limits from elsewhere are not heard: %s", error)
            stop.wait(1.0)
            continue
        if message is not None:
            _take(board, message["data"])


def _take(board: LimitBoard, text: str) -> None:
    try:
        found = json.loads(text)
        board.take(Change(**{**found, "kind": Kind(found["kind"]), "actor": Actor(found["actor"])}))
    except (ValueError, TypeError, KeyError, TradefloorError) as error:
        _LOG.warning("a change of limits from elsewhere was not taken: %s", error)
