"""A page that follows the floor: its components, and what of them changed since a viewer last asked.

Pages fetch what changed themselves (``scripts/live.js``), from a route that sends text rendered once for all viewers:
a refresh takes no callback of Gradio. A page that is shown without our server is refreshed by Gradio's timer instead.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from arena.seasons.snapshot import FloorSnapshot
from arena.services import Services
from arena.ui.components.states import skeleton
from arena.ui.rendering import RenderCache, Rendered

REFRESH_S = 1.0
SLOT = '<div class="tf-slot">${value}</div>'
"""The template of a live panel: scripts put new content into the slot and hear ``tf:value`` when they have."""

Address = Mapping[str, str]
"""What stands behind the question mark of a page's address, by name."""

_SCRIPTS = Path(__file__).parent / "scripts"
_MAX_ADDRESS = 16
_Seen = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Viewer:
    """What one viewer asks for: the snapshot, the wall clock, the values chosen on the page, and its address."""

    snapshot: FloorSnapshot | None
    now_ms: int
    chosen: Sequence[str]
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    """A component, how its content is made for a viewer, and what the content depends on besides the snapshot."""

    name: str
    component: gr.HTML
    render: Callable[[_Viewer], str]
    choices: tuple[int, ...] = ()
    by_clock: bool = False
    by_address: bool = False
    edition: Callable[[], Hashable] = lambda: None


def script_text(name: str) -> str:
    """A script of ours, for a component that runs it when it is loaded."""
    return (_SCRIPTS / name).read_text(encoding="utf-8")


class LivePage:
    """Collects the live parts of one page while it is built, and says what of them changed.

    Content is rendered once for each snapshot, choice and address, shared by all viewers, and sent to a viewer only
    where it differs from what that viewer has. ``now_ms`` is the wall clock, for the age of what is shown.
    """

    def __init__(self, path: str, services: Services, cache: RenderCache, now_ms: Callable[[], int]) -> None:
        self.services = services
        self.floor = services.floor
        self._path = path
        self._cache = cache
        self._now_ms = now_ms
        self._panels: list[_Panel] = []
        self._choices: list[gr.Radio] = []
        self._options: list[tuple[Sequence[str], str]] = []

    # -- building --------------------------------------------------------------------------------------------------

    def html(
        self,
        render: Callable[[FloorSnapshot], str],
        *,
        elem_id: str,
        waiting: str = "",
        script: str | None = None,
        edition: Callable[[], Hashable] = lambda: None,
    ) -> gr.HTML:
        """Markup of the snapshot; before the first one, a skeleton that says what it is ``waiting`` for.

        What it shows besides the snapshot is named by ``edition``.
        """

        def content(viewer: _Viewer) -> str:
            return skeleton(waiting) if viewer.snapshot is None else render(viewer.snapshot)

        return self._add(elem_id, content, script=script, edition=edition)

    def clocked_html(self, render: Callable[[FloorSnapshot | None, int], str], *, elem_id: str) -> gr.HTML:
        """Markup that also depends on the wall clock, to the second."""

        def content(viewer: _Viewer) -> str:
            return render(viewer.snapshot, viewer.now_ms // 1_000 * 1_000)

        return self._add(elem_id, content, by_clock=True)

    def addressed_html(
        self,
        render: Callable[[FloorSnapshot, Address], str],
        *,
        elem_id: str,
        waiting: str = "",
        script: str | None = None,
        by_clock: bool = False,
    ) -> gr.HTML:
        """Markup that also depends on the page's address, such as ``?desk=momentum``. Addresses are rubbish at will.

        With ``by_clock`` it may change without a new snapshot.
        """

        def content(viewer: _Viewer) -> str:
            return skeleton(waiting) if viewer.snapshot is None else render(viewer.snapshot, viewer.address)

        return self._add(elem_id, content, script=script, by_clock=by_clock, by_address=True)

    def housed_html(
        self, render: Callable[[Address, int], str], *, edition: Callable[[], Hashable], elem_id: str
    ) -> gr.HTML:
        """Markup of the house and not of the floor: it is there without a season, and made anew with each ``edition``.

        It gets the page's address and the wall clock.
        """

        def content(viewer: _Viewer) -> str:
            return render(viewer.address, viewer.now_ms)

        return self._add(elem_id, content, by_address=True, edition=edition, first=skeleton(""))

    def choice(self, options: Sequence[str], value: str, *, label: str) -> gr.Radio:
        """A segmented switch, each viewer's own, that charts of this page can follow."""
        radio = gr.Radio(
            list(options),
            value=value,
            label=label,
            show_label=False,
            container=False,
            interactive=True,  # no callback of Gradio takes it, which would grey it out
            elem_id=f"tf-choice-{len(self._choices)}",
            elem_classes="tf-segments",
        )
        self._choices.append(radio)
        self._options.append((tuple(options), value))
        return radio

    def plot(
        self, component: gr.HTML, choices: Sequence[gr.Radio], figure: Callable[..., str], *, by_address: bool = False
    ) -> None:
        """Lets a chart follow the floor: ``figure`` gets the snapshot and the value of each of ``choices``.

        With ``by_address`` it gets the page's address after the snapshot.
        """

        def content(viewer: _Viewer) -> str:
            if viewer.snapshot is None:
                return ""
            asked = (viewer.address,) if by_address else ()
            return figure(viewer.snapshot, *asked, *viewer.chosen)

        followed = tuple(self._choices.index(choice) for choice in choices)
        name = component.elem_id or figure.__name__
        self._panels.append(
            _Panel(name=name, component=component, render=content, choices=followed, by_address=by_address)
        )

    def start(self, blocks: gr.Blocks) -> None:
        """Has Gradio fill the page when it loads and refresh it on a timer: for a page shown without our server."""
        seen = gr.State({})
        inputs = [seen, *self._choices]
        outputs = [seen, *(panel.component for panel in self._panels)]
        timer = gr.Timer(REFRESH_S)
        prompt = [blocks.load, *(choice.change for choice in self._choices)]
        for trigger, mode in [(timer.tick, "once"), *((event, "always_last") for event in prompt)]:
            trigger(
                self._refresh,
                inputs,
                outputs,
                queue=False,
                show_progress="hidden",
                trigger_mode=mode,
                api_visibility="private",
            )

    # -- refreshing ------------------------------------------------------------------------------------------------

    def changes(self, query: Mapping[str, str]) -> bytes:
        """The panels that a viewer lacks, as a JSON object of name to [etag, content]; empty where there are none.

        ``query`` holds ``seen`` (``name:etag`` of what the viewer has, with commas between), the choices by number
        (``choice-0`` ...) and, under ``at-`` and its name, each part of the page's own address. What is not an option
        of a choice is taken for its first value.
        """
        viewer = self._viewer(query)
        return _lacking({panel.name: self._content(panel, viewer) for panel in self._panels}, query)

    def known_changes(self, query: Mapping[str, str]) -> bytes | None:
        """The same where another viewer had all of it rendered already, else None. It costs next to nothing."""
        viewer, found = self._viewer(query), {}
        for panel in self._panels:
            content = self._cache.known(viewer.snapshot, self._key(panel, viewer))
            if content is None:
                return None
            found[panel.name] = content
        return _lacking(found, query)

    def _viewer(self, query: Mapping[str, str]) -> _Viewer:
        chosen = [
            query.get(f"choice-{number}", first) if query.get(f"choice-{number}") in options else first
            for number, (options, first) in enumerate(self._options)
        ]
        address = {key[3:]: value for key, value in list(query.items())[:_MAX_ADDRESS] if key.startswith("at-")}
        return _Viewer(snapshot=self.floor.snapshot(), now_ms=self._now_ms(), chosen=chosen, address=address)

    def _content(self, panel: _Panel, viewer: _Viewer) -> Rendered:
        picked = replace(viewer, chosen=[viewer.chosen[index] for index in panel.choices])
        return self._cache.get(viewer.snapshot, self._key(panel, viewer), lambda: panel.render(picked))

    def _key(self, panel: _Panel, viewer: _Viewer) -> Hashable:
        return (
            self._path,
            panel.name,
            tuple(viewer.chosen[index] for index in panel.choices),
            viewer.now_ms // 1_000 if panel.by_clock else None,
            tuple(sorted(viewer.address.items())) if panel.by_address else None,
            panel.edition(),
        )

    def _refresh(self, seen: _Seen, *chosen: str) -> list[Any]:
        viewer = _Viewer(snapshot=self.floor.snapshot(), now_ms=self._now_ms(), chosen=chosen, address={})
        found = {panel.name: self._content(panel, viewer) for panel in self._panels}
        updates = [gr.skip() if seen.get(name) == content.etag else content.text for name, content in found.items()]
        return [{name: content.etag for name, content in found.items()}, *updates]

    def _add(
        self,
        elem_id: str,
        content: Callable[[_Viewer], str],
        *,
        script: str | None = None,
        by_clock: bool = False,
        by_address: bool = False,
        edition: Callable[[], Hashable] = lambda: None,
        first: str | None = None,
    ) -> gr.HTML:
        code = None if script is None else script_text(script)
        nobody = _Viewer(snapshot=None, now_ms=0, chosen=(), address={})
        component = gr.HTML(
            content(nobody) if first is None else first,
            html_template=SLOT,
            elem_id=elem_id,
            js_on_load=code,
            apply_default_css=False,
            padding=False,
        )
        self._panels.append(
            _Panel(
                name=elem_id,
                component=component,
                render=content,
                by_clock=by_clock,
                by_address=by_address,
                edition=edition,
            )
        )
        return component


def _lacking(found: Mapping[str, Rendered], query: Mapping[str, str]) -> bytes:
    have = dict(pair.split(":", 1) for pair in query.get("seen", "").split(",") if ":" in pair)
    fresh = [
        b'"%s":%s' % (name.encode(), content.json) for name, content in found.items() if have.get(name) != content.etag
    ]
    return b"{%s}" % b",".join(fresh) if fresh else b""
