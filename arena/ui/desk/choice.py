"""Which desk a page is about: ``?desk=`` of its address, and the links that change it."""

from arena.seasons.portrait import DeskPortrait
from arena.seasons.snapshot import DeskCard, FloorSnapshot
from arena.ui.components.desk_card import desk_href, ranked
from arena.ui.components.marks import swatch
from arena.ui.components.markup import Html, element
from arena.ui.figures import rank
from arena.ui.live import Address


def desk_of(snapshot: FloorSnapshot, address: Address) -> DeskCard | None:
    """The desk that is asked for, the leader where none is; None for a stranger or before the first round."""
    asked = address.get("desk")
    order = ranked(snapshot.desks)
    if not asked:
        return order[0] if order else None
    return next((desk for desk in order if desk.name == asked), None)


def portrait_of(snapshot: FloorSnapshot, desk: DeskCard) -> DeskPortrait | None:
    """The desk's portrait, None until the season was scored."""
    return next((one for one in snapshot.portraits if one.desk == desk.name), None)


def desk_links(snapshot: FloorSnapshot, address: Address) -> Html:
    """All desks in rank order, as links; the one that is shown is marked."""
    shown = desk_of(snapshot, address)
    links = [
        element(
            "a",
            swatch(desk.slot, desk.kind),
            element("span", desk.name),
            element("small", rank(desk.rank, desk.rank_last)),
            href=desk_href(desk.name),
            aria_current="true" if shown is not None and desk.name == shown.name else None,
            data_address=True,
            data_key=f"desk-{desk.slot}",
        )
        for desk in ranked(snapshot.desks)
    ]
    return element("nav", *links, class_="tf tf-choose", aria_label="Desks in rank order")
