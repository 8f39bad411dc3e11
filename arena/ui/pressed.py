"""Acts drawn inside live panels: a hidden button of the page carries each to the server, with who pressed it where."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode

import gradio as gr

from arena.access import Caller, Role
from arena.ui.acts import checked, shown_refusals
from arena.ui.components.markup import Html, element

Act = Callable[[str, Mapping[str, str], Caller], str | None]
"""What is done: it gets the pressed value, the page's address and the caller, and says in a line what came of it."""

_LONGEST = 4_000
_HAND = "() => window.tfHand()"


def hidden_button(act: Act, role: Role, *, elem_id: str) -> None:
    """The page's button for what is drawn with :func:`press`; whoever has less than ``role`` is refused."""

    def pressed(value: str, search: str, request: gr.Request) -> None:
        with shown_refusals():
            caller = checked(request, role)
            said = act(str(value or "")[:_LONGEST], _address(search), caller)
        if said:
            gr.Info(said)

    with gr.Row(elem_classes="tf-hidden"):
        value = gr.Textbox(label="value", elem_id=f"{elem_id}-value")
        search = gr.Textbox(label="address", elem_id=f"{elem_id}-address")
        button = gr.Button(elem_id, elem_id=elem_id)
    # Gradio tells a person what came of an act only where the act goes through its queue.
    button.click(pressed, [value, search], None, js=_HAND, show_progress="hidden", api_visibility="private")


def press(text: str, target: str, *, value: str = "", primary: bool = False, disabled: str = "") -> Html:
    """A button inside a live panel that presses the hidden one ``target``. ``disabled`` says why it cannot be."""
    kind = "tf-act tf-act-main" if primary else "tf-act"
    return element(
        "button",
        text,
        type="button",
        class_=kind,
        data_press=target,
        data_value=value,
        disabled=bool(disabled),
        title=disabled or None,
    )


def press_twice(first: str, second: str, target: str, *, value: str = "", disabled: str = "") -> Html:
    """The same in two steps: the first arms, the second acts, and a double click cancels."""
    if disabled:
        return element("button", first, type="button", class_="tf-act", disabled=True, title=disabled)
    return element(
        "span",
        element("button", second, type="button", class_="tf-act tf-confirm", data_press=target, data_value=value),
        element("button", "Cancel", type="button", class_="tf-act tf-cancel"),
        element("button", first, type="button", class_="tf-act tf-arm"),
        class_="tf-two-step tf-inline",
    )


def here(text: str, path: str, address: Mapping[str, str], *, current: bool = False, class_: str | None = None) -> Html:
    """A link to another state of the page at ``path``, which it is drawn on."""
    return element(
        "a",
        text,
        href=f"/{path}?{urlencode({key: value for key, value in address.items() if value})}",
        data_here=True,
        aria_current="true" if current else None,
        class_=class_,
    )


def _address(search: str) -> Mapping[str, str]:
    return dict(parse_qsl(str(search or "")[:_LONGEST].removeprefix("?"), max_num_fields=16))
