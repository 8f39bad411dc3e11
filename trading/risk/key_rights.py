"""What a venue's key may do: one that can withdraw is refused before anything is sent with it."""

from dataclasses import dataclass

from trading.domain.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRights:
    """The rights of a key as the venue states them; None where it does not say."""

    trade: bool | None
    withdraw: bool | None
    transfer: bool | None = None


def refuse_dangerous_key(venue: str, rights: KeyRights) -> None:
    """Raise ConfigError unless the venue says that the key can neither withdraw nor move money to another account.

    What the venue does not say counts as allowed: a key whose rights are unknown is refused as well.
    """
    if rights.withdraw is not False:
        found = "can withdraw" if rights.withdraw else "may be able to withdraw: the venue does not say"
        raise ConfigError(f"{venue}: the key {found}; make one that can only read and trade")
    if rights.transfer:
        raise ConfigError(f"{venue}: the key can move money to other accounts; make one that can only read and trade")
    if rights.trade is False:
        raise ConfigError(f"{venue}: the key cannot trade; allow it, or run on paper")
