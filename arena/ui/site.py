"""The site: every page under the same header, as one Gradio app that can be mounted on a web server."""

import asyncio
import time
import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

import gradio as gr
from gradio.components.navbar import Navbar

from arena.ui.components.header import brand, status_line, theme_switch
from arena.ui.components.states import notice
from arena.ui.floor import Floor
from arena.ui.live import LivePage
from arena.ui.pages import Page, all_pages
from arena.ui.rendering import RenderCache
from arena.ui.theme import gradio_theme, page_head, style_sheet
from trading.domain.errors import TradefloorError

App = TypeVar("App")
Made = TypeVar("Made")
PERSON = "a person asked for it on the web page"


def wall_clock_ms() -> int:
    """Now, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def build_site(floor: Floor, *, now_ms: Callable[[], int] = wall_clock_ms) -> gr.Blocks:
    """All pages over one floor. Rendered content is shared by every viewer of every page."""
    return _in_a_loop(lambda: _build_site(floor, now_ms))


def _build_site(floor: Floor, now_ms: Callable[[], int]) -> gr.Blocks:
    cache = RenderCache()
    pages = all_pages()
    home, others = pages[0], pages[1:]
    site = gr.Blocks(title="Tradefloor", fill_width=True, analytics_enabled=False)
    with site:
        _build_page(home, pages, site, LivePage(floor, cache, now_ms))
    for page in others:
        with site.route(page.title, f"/{page.path}"):
            _build_page(page, pages, site, LivePage(floor, cache, now_ms))
    return site


def mount(app: App, floor: Floor) -> App:
    """Puts the site at the root of a web application and gives the application back. Works in and outside a loop."""
    _in_a_loop(lambda: _mount(app, floor))
    return app


def _in_a_loop(work: Callable[[], Made]) -> Made:
    """``work()`` inside an event loop: where none runs, Gradio opens some of its own and never closes them."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_awaited(work))
    return work()


async def _awaited(work: Callable[[], Made]) -> Made:
    return work()


def _mount(app: object, floor: Floor) -> None:
    with warnings.catch_warnings():
        # Gradio says that it renders no multi-page app on the server even to those who did not ask for it.
        warnings.filterwarnings("ignore", message="SSR mode is not supported", category=UserWarning)
        gr.mount_gradio_app(
            cast(Any, app),
            build_site(floor),
            path="/",
            theme=gradio_theme(),
            css=style_sheet(),
            head=page_head(),
            footer_links=[],
            ssr_mode=False,
            show_error=False,
            run_history=False,
            enable_monitoring=False,
            max_file_size="1kb",
        )


def _build_page(page: Page, pages: list[Page], site: gr.Blocks, live: LivePage) -> None:
    Navbar(visible=False)
    links = [(each.title, each.path) for each in pages]
    with gr.Row(elem_id="tf-top"):
        gr.HTML(brand(links, page.path), elem_id="tf-brand", apply_default_css=False, js_on_load=None)
        live.clocked_html(status_line, elem_id="tf-status")
        gr.HTML(theme_switch(), elem_id="tf-theme", apply_default_css=False, js_on_load=None)
        _two_steps("Halt…", "Confirm halt", lambda: _halt(live.floor), elem_id="tf-halt")
    with gr.Row(elem_id="tf-notice"):
        live.clocked_html(notice, elem_id="tf-notice-text")
        _two_steps("Resume…", "Confirm resume", lambda: _resume(live.floor), elem_id="tf-resume")
    page.build(live)
    live.start(site)


def _halt(floor: Floor) -> None:
    _ordered(lambda: floor.halt(PERSON))


def _resume(floor: Floor) -> None:
    _ordered(lambda: floor.resume(PERSON))


def _ordered(order: Callable[[], None]) -> None:
    """What prevents an order is shown to the person who gave it."""
    try:
        order()
    except TradefloorError as error:
        raise gr.Error(str(error)) from error


def _two_steps(first: str, second: str, action: Callable[[], None], *, elem_id: str) -> None:
    """A button that arms, then one that acts. The last button cancels and takes the place of the first.

    Arming needs no server (``scripts/shell.js``), so it works while the server is busy; it ends by itself.
    """
    with gr.Row(elem_id=elem_id, elem_classes="tf-two-step"):
        confirm = gr.Button(second, elem_classes="tf-button tf-confirm", size="sm", min_width=0)
        gr.Button("Cancel", elem_classes="tf-button tf-cancel", size="sm", min_width=0)
        gr.Button(first, elem_classes="tf-button tf-arm", size="sm", min_width=0)
    confirm.click(action, None, None, queue=False, show_progress="hidden", api_visibility="private")
