"""How margin is kept on the simulated venue."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trading.domain.errors import ConfigError


class MarginRules(BaseModel):
    """``cross``: the whole account stands for every perpetual. ``isolated``: each position has its cost over
    ``leverage`` as a margin of its own, can lose no more than that, and is liquidated alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["cross", "isolated"] = "cross"
    leverage: Annotated[Decimal, Field(ge=1, le=125, allow_inf_nan=False)] = Decimal(10)

    @property
    def isolated_leverage(self) -> Decimal | None:
        """The leverage of isolated positions; None in cross margin."""
        return self.leverage if self.mode == "isolated" else None

    @classmethod
    def from_mapping(cls, table: Mapping[str, Any]) -> Self:
        """The rules of a ``[margin]`` table. Raises ConfigError for what is not one."""
        try:
            return cls.model_validate({key: str(value) for key, value in table.items()})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ConfigError(f"[margin] {where} = {first['input']!r}: {first['msg'].lower()}") from error
