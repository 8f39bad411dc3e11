"""The door: what lets others in asks for a login, and a house that nobody could reach is refused."""

import pytest

from arena.access import LOOPBACK, door_for
from trading.domain.errors import ConfigError


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_alone_asks_for_nothing(host: str):
    assert door_for(host) == LOOPBACK


@pytest.mark.parametrize(
    "options",
    [{"allow_hosts": ["trade.example"]}, {"proxies": ["127.0.0.1"]}, {"https": True}, {"login": True}],
)
def test_loopback_with_anything_before_it_asks_for_a_login(options):
    assert door_for("127.0.0.1", **options).asks_login


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "trade.example", "127.0.0.1.evil.example"])
def test_every_other_address_asks_for_a_login(host: str):
    door = door_for(host, allow_hosts=["Trade.example", "[2001:db8::1]"])
    assert door.asks_login
    assert {"trade.example", "2001:db8::1", "localhost"} <= door.names
    assert "0.0.0.0" not in door.names


def test_an_address_is_a_name_of_its_own():
    assert "192.168.1.4" in door_for("192.168.1.4").names


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_every_address_without_a_name_is_refused(host: str):
    with pytest.raises(ConfigError, match=r"--allow-host trade\.example"):
        door_for(host)


@pytest.mark.parametrize(
    "name", ["", "*", "http://trade.example", "trade.example:443", "a b", "*.example", "a/b", "u@h"]
)
def test_a_name_that_is_none_is_refused(name: str):
    with pytest.raises(ConfigError, match="--allow-host"):
        door_for("127.0.0.1", allow_hosts=[name])


@pytest.mark.parametrize("proxy", ["", "*", "proxy.example", "10.0.0.0/99", "10.0.0.1:80"])
def test_a_proxy_that_is_no_address_is_refused(proxy: str):
    with pytest.raises(ConfigError, match="--trusted-proxy"):
        door_for("127.0.0.1", proxies=[proxy])
