"""A page that follows the floor: its components, and the one tick that refreshes those whose content changed."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from arena.seasons.snapshot import FloorSnapshot
from arena.ui.components.states import skeleton
from arena.ui.floor import Floor
from arena.ui.rendering import RenderCache, rendered

REFRESH_S = 1.0

_SCRIPTS = Path(__file__).parent / "scripts"
_Seen = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    """A component, how its content is made of a snapshot and the viewer's choices, and what the content depends on."""

    name: str
    component: gr.HTML
    render: Callable[[FloorSnapshot | None, int, Sequence[str]], str]
    choices: tuple[int, ...] = ()
    by_clock: bool = False


class LivePage:
    """Collects the live parts of one page while it is built; ``start`` wires them to the floor.

    Content is rendered once for each snapshot and choice, shared by all viewers, and sent to a viewer only where it
    differs from what that viewer has. ``now_ms`` is the wall clock, for the age of what is shown.
    """

    def __init__(self, floor: Floor, cache: RenderCache, now_ms: Callable[[], int]) -> None:
        self.floor = floor
        self._cache = cache
        self._now_ms = now_ms
        self._panels: list[_Panel] = []
        self._choices: list[gr.Radio] = []

    def html(
        self, render: Callable[[FloorSnapshot], str], *, elem_id: str, waiting: str = "", script: str | None = None
    ) -> gr.HTML:
        """Markup of the snapshot; before the first one, a skeleton that says what it is ``waiting`` for."""

        def content(snapshot: FloorSnapshot | None, _now_ms: int, _chosen: Sequence[str]) -> str:
            return skeleton(waiting) if snapshot is None else render(snapshot)

        return self._add(elem_id, content, script=script)

    def clocked_html(self, render: Callable[[FloorSnapshot | None, int], str], *, elem_id: str) -> gr.HTML:
        """Markup that also depends on the wall clock, to the second."""

        def content(snapshot: FloorSnapshot | None, now_ms: int, _chosen: Sequence[str]) -> str:
            return render(snapshot, now_ms)

        return self._add(elem_id, content, by_clock=True)

    def choice(self, options: Sequence[str], value: str, *, label: str) -> gr.Radio:
        """A segmented switch, each viewer's own, that charts of this page can follow."""
        radio = gr.Radio(
            list(options), value=value, label=label, show_label=False, container=False, elem_classes="tf-segments"
        )
        self._choices.append(radio)
        return radio

    def plot(self, component: gr.HTML, choices: Sequence[gr.Radio], figure: Callable[..., str]) -> None:
        """Lets a chart follow the floor: ``figure`` gets the snapshot and the value of each of ``choices``."""

        def content(snapshot: FloorSnapshot | None, _now_ms: int, chosen: Sequence[str]) -> str:
            return "" if snapshot is None else figure(snapshot, *chosen)

        followed = tuple(self._choices.index(choice) for choice in choices)
        name = component.elem_id or figure.__name__
        self._panels.append(_Panel(name=name, component=component, render=content, choices=followed))

    def start(self, blocks: gr.Blocks) -> None:
        """Fills the page when it loads, and again on every tick and every change of a choice."""
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

    def _add(
        self,
        elem_id: str,
        content: Callable[[FloorSnapshot | None, int, Sequence[str]], str],
        *,
        script: str | None = None,
        by_clock: bool = False,
    ) -> gr.HTML:
        code = None if script is None else (_SCRIPTS / script).read_text(encoding="utf-8")
        component = gr.HTML(
            content(None, 0, ()), elem_id=elem_id, js_on_load=code, apply_default_css=False, padding=False
        )
        self._panels.append(_Panel(name=elem_id, component=component, render=content, by_clock=by_clock))
        return component

    def _refresh(self, seen: _Seen, *chosen: str) -> list[Any]:
        snapshot = self.floor.snapshot()
        now_ms = self._now_ms()
        updates: list[Any] = []
        now_seen: _Seen = {}
        for panel in self._panels:
            picked = tuple(chosen[index] for index in panel.choices)

            def render(panel: _Panel = panel, picked: Sequence[str] = picked) -> str:
                return panel.render(snapshot, now_ms, picked)

            if panel.by_clock:
                content = rendered(render())
            else:
                key: Hashable = (panel.name, picked)
                content = self._cache.get(snapshot, key, render)
            now_seen[panel.name] = content.etag
            updates.append(gr.skip() if seen.get(panel.name) == content.etag else content.text)
        return [now_seen, *updates]
