"""The site: every page under the same header, as one Gradio app that can be mounted on a web server."""

import asyncio
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import gradio as gr
from gradio.components.navbar import Navbar

from arena.access import Role
from arena.services import Services
from arena.ui.acts import checked, shown_refusals
from arena.ui.components.header import account, brand, status_line, theme_switch
from arena.ui.components.states import notice, offline
from arena.ui.live import LivePage
from arena.ui.pages import Page, all_pages
from arena.ui.rendering import RenderCache
from arena.ui.theme import gradio_theme, page_head, style_sheet

App = TypeVar("App")
Made = TypeVar("Made")


def wall_clock_ms() -> int:
    """Now, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """All pages as one Gradio app, and the live parts of each by its path."""

    blocks: gr.Blocks
    pages: Mapping[str, LivePage]


def build_site(services: Services, *, now_ms: Callable[[], int] = wall_clock_ms, by_timer: bool = False) -> Site:
    """All pages over one house. Rendered content is shared by every viewer of every page.

    With ``by_timer`` Gradio refreshes them, for where our server does not serve them.
    """
    return _in_a_loop(lambda: _build_site(services, now_ms, by_timer))


def _build_site(services: Services, now_ms: Callable[[], int], by_timer: bool) -> Site:
    cache = RenderCache()
    pages = all_pages()
    blocks = gr.Blocks(title="Tradefloor", fill_width=True, analytics_enabled=False)
    live = {page.path: LivePage(page.path, services, cache, now_ms) for page in pages}
    for page in pages:
        with blocks if page.path == "" else blocks.route(page.title, f"/{page.path}"):
            _build_page(page, pages, live[page.path])
            if by_timer:
                live[page.path].start(blocks)
    return Site(blocks=blocks, pages=live)


def mount(app: App, site: Site) -> App:
    """Puts the site at the root of a web application and gives the application back. Works in and outside a loop."""
    _in_a_loop(lambda: _mount(app, site))
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


def _mount(app: object, site: Site) -> None:
    with warnings.catch_warnings():
        # Gradio says that it renders no multi-page app on the server even to those who did not ask for it.
        warnings.filterwarnings("ignore", message="SSR mode is not supported", category=UserWarning)
        gr.mount_gradio_app(
            cast(Any, app),
            site.blocks,
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


def _build_page(page: Page, pages: list[Page], live: LivePage) -> None:
    Navbar(visible=False)
    links = [(each.title, each.path) for each in pages if each.is_listed]
    with gr.Row(elem_id="tf-top"):
        gr.HTML(brand(links, page.path), elem_id="tf-brand", apply_default_css=False, js_on_load=None)
        live.clocked_html(status_line, elem_id="tf-status")
        gr.HTML(theme_switch(), elem_id="tf-theme", apply_default_css=False, js_on_load=None)
        gr.HTML(account(), elem_id="tf-account", apply_default_css=False, js_on_load=None)
        _two_steps("Halt…", "Confirm halt", _by_trader(live.floor.halt, "halt"), elem_id="tf-halt")
    gr.HTML(offline(), elem_id="tf-offline", apply_default_css=False, js_on_load=None)
    with gr.Row(elem_id="tf-notice"):
        live.clocked_html(notice, elem_id="tf-notice-text")
        _two_steps("Resume…", "Confirm resume", _by_trader(live.floor.resume, "resume"), elem_id="tf-resume")
    page.build(live)


def _by_trader(order: Callable[[str], None], name: str) -> Callable[[gr.Request], None]:
    """The act of a person who may do it, with the name as its reason."""

    def act(request: gr.Request) -> None:
        with shown_refusals():
            caller = checked(request, Role.TRADER, act=name)
            order(f"{caller.name} asked for it on the web page")

    return act


def _two_steps(first: str, second: str, action: Callable[[gr.Request], None], *, elem_id: str) -> None:
    """A button that arms, then one that acts. The last button cancels and takes the place of the first.

    Arming needs no server (``scripts/shell.js``), so it works while the server is busy; it ends by itself.
    """
    with gr.Row(elem_id=elem_id, elem_classes="tf-two-step"):
        confirm = gr.Button(second, elem_classes="tf-button tf-confirm", size="sm", min_width=0)
        gr.Button("Cancel", elem_classes="tf-button tf-cancel", size="sm", min_width=0)
        gr.Button(first, elem_classes="tf-button tf-arm", size="sm", min_width=0)
    confirm.click(action, None, None, queue=False, show_progress="hidden", api_visibility="private")
