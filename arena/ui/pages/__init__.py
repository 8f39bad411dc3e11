"""One module a page, each with a ``PAGE``. A new page is a new module here: links and routes find it."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from arena.ui.live import LivePage


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page by its title in the header, its path (empty for the home page), its place among the links, its content.

    One that is not listed has no link in the header: others lead to it.
    """

    title: str
    path: str
    order: int
    build: Callable[[LivePage], None]
    is_listed: bool = True


def all_pages() -> list[Page]:
    """Every page of this package, in the order of the links; the home page is first."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found: list[Page] = [importlib.import_module(f"{__name__}.{name}").PAGE for name in names]
    return sorted(found, key=lambda page: (page.path != "", page.order, page.title))
