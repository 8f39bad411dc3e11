"""The page to log in on: plain markup and a style sheet of its own, no script, both themes, on any screen."""

from pathlib import Path

from arena.ui.components.markup import Html, element
from arena.ui.tokens import PALETTE

STYLE_URL = "/login/style.css"

_STYLES = Path(__file__).parent / "styles" / "login.css"


def login_page(*, form: str, onward: str, name: str = "", complaint: str = "") -> str:
    """The whole page. ``form`` comes back with it, ``onward`` is where to go then, ``complaint`` what went wrong."""
    said = element("p", complaint, class_="tf-complaint", role="alert") if complaint else None
    fields = (
        element("input", type="hidden", name_="form", value=form),
        element("input", type="hidden", name_="next", value=onward),
        _field("Name", "name", type="text", value=name, autocomplete="username", autofocus=not name),
        _field("Password", "password", type="password", autocomplete="current-password", autofocus=bool(name)),
        element("button", "Log in", type="submit"),
    )
    return _document(
        "Log in",
        element("h1", "Tradefloor"),
        element("p", "Log in to see the floor.", class_="tf-lead"),
        said,
        element("form", *fields, method="post", action="/login"),
        element(
            "p",
            "No login yet, or the password is lost? Whoever runs this house can help: ",
            element("code", "tradefloor access add"),
            " lets somebody in.",
            class_="tf-help",
        ),
    )


def login_style() -> str:
    """The style sheet of the page: the palette by what the system prefers, and our rules."""
    light = "".join(f"--tf-{name}:{shade.light};" for name, shade in PALETTE.items())
    dark = "".join(f"--tf-{name}:{shade.dark};" for name, shade in PALETTE.items())
    palette = f":root{{{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"
    return palette + _STYLES.read_text(encoding="utf-8")


def _field(label: str, name: str, **attributes: str | bool) -> Html:
    given = element(
        "input", id=f"tf-{name}", name_=name, required=True, maxlength="256", spellcheck="false",
        autocapitalize="none", **attributes,
    )  # fmt: skip
    return element("div", element("label", label, for_=f"tf-{name}"), given, class_="tf-field")


def _document(title: str, *content: Html | None) -> str:
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name_="color-scheme", content="light dark"),
        element("title", f"{title} - Tradefloor"),
        element("link", rel="icon", href="data:,"),
        element("link", rel="stylesheet", href=STYLE_URL),
    )
    body = element("body", element("main", element("div", *content, class_="tf-door")))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"
