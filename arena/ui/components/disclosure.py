"""What is shown on demand: a native ``details`` that stays as a reader left it, and text of models inside."""

from arena.ui.components.markup import Html, element


def disclosure(title: str, side: str, *body: Html | None, key: str, opened: bool = False) -> Html:
    """A title with a word at its right end, and what it opens. ``key`` lets a page keep it open."""
    return element(
        "details",
        element("summary", element("span", title), element("span", side, class_="tf-side")),
        element("div", *body),
        class_="tf-more",
        data_key=key,
        open=opened,
    )


def quoted(text: str, limit: int | None = None) -> Html:
    """Text as it came, in the face of code, wrapped."""
    return element("pre", text if limit is None else cut(text, limit))


def cut(text: str, limit: int) -> str:
    """``text`` with an ellipsis where it is longer than ``limit`` characters."""
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"
