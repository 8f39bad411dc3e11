"""The door of a served house: by which names it is reached, and whether whoever comes has to log in."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from trading.domain.errors import ConfigError

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - named to be asked about


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """``names`` are what a request may call this house; ``is_https`` says that browsers come over https alone.

    Where nobody ``asks_login`` whoever comes is this machine and may do everything: for loopback, and nothing else.
    """

    names: frozenset[str] = LOOPBACK_NAMES
    asks_login: bool = False
    is_https: bool = False


LOOPBACK = Door()


def door_for(
    host: str, *, allow_hosts: Sequence[str] = (), proxies: Sequence[str] = (), https: bool = False, login: bool = False
) -> Door:
    """The door for a server that listens on ``host``.

    Whatever lets other machines in asks for a login: another address than loopback, another name, a proxy. Raises
    ConfigError where nobody could come in, or a name or a proxy is none.
    """
    names = frozenset(_name(one) for one in allow_hosts)
    for proxy in proxies:
        _check_network(proxy)
    is_loopback = host in LOOPBACK_NAMES
    if host in EVERYWHERE and not names:
        raise ConfigError(
            f"host {host!r} listens on every address: say under which name this house is reached, "
            "such as --allow-host trade.example"
        )
    if not is_loopback and host not in EVERYWHERE:
        names |= {_name(host)}
    return Door(
        names=names | LOOPBACK_NAMES,
        asks_login=bool(login or names or proxies or https or not is_loopback),
        is_https=https,
    )


def _name(host: str) -> str:
    name = host.strip("[]").lower()
    if not name or any(letter in name for letter in "/ *@\\?#") or (":" in name and not _is_address(name)):
        raise ConfigError(f"--allow-host {host!r}: expected a name alone, without scheme, port or *: trade.example")
    return name


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _check_network(proxy: str) -> None:
    try:
        ipaddress.ip_network(proxy)
    except ValueError:
        raise ConfigError(
            f"--trusted-proxy {proxy!r}: expected the address of the proxy, such as 127.0.0.1 or 10.0.0.0/8"
        ) from None
