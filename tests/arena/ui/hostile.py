"""Fifty texts that would do something on a page that took them for markup, and a floor on which all words are such."""

from dataclasses import replace

from arena.seasons.snapshot import FloorSnapshot

_CODE = "window.pwned=1"
PAYLOADS = (
    f'<img src=x onerror="{_CODE}">',
    f"<script>{_CODE}</script>",
    f"<svg/onload={_CODE}>",
    "\"><iframe srcdoc='<script>parent.pwned=1</script>'>",
    f"</details></li></ol><a href=javascript:{_CODE}>x</a>",
    f"[a link](javascript:{_CODE}) **bold** ![i](http://evil.example/x.png)",
    f"{{{{constructor.constructor('{_CODE}')()}}}} ${{{_CODE}}}",
    "\x1b[31mred\x1b[0m \u202eright to left",
    f"' onmouseover='{_CODE}",
    "&lt;b&gt;twice&lt;/b&gt;",
    f"<ScRiPt>{_CODE}</sCrIpT>",
    f"<scr<script>ipt>{_CODE}</scr</script>ipt>",
    f"<img src=x oneonerrorrror={_CODE}>",
    f"<img src='x' onerror='{_CODE}'",
    f"<body onload={_CODE}>",
    f"<details open ontoggle={_CODE}>",
    f"<input autofocus onfocus={_CODE}>",
    f"<video><source onerror={_CODE}></video>",
    f"<audio src=x onerror={_CODE}>",
    f"<marquee onstart={_CODE}>",
    f"<object data=javascript:{_CODE}>",
    f"<embed src=javascript:{_CODE}>",
    f"<form action=javascript:{_CODE}><button>x",
    f"<math><mtext><img src=x onerror={_CODE}></mtext></math>",
    f"<svg><script>{_CODE}</script></svg>",
    f"<svg><animate onbegin={_CODE} attributeName=x dur=1s>",
    f"<style>@import 'javascript:{_CODE}';</style>",
    "<style>body{display:none}</style>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=http://evil.example'>",
    "<base href=http://evil.example/>",
    f"<template><img src=x onerror={_CODE}></template>",
    f"<noscript><p title='</noscript><img src=x onerror={_CODE}>'>",
    f"<textarea></textarea><img src=x onerror={_CODE}>",
    f"<title></title><script>{_CODE}</script>",
    f"<!--><script>{_CODE}</script>-->",
    f"<![CDATA[<script>{_CODE}</script>]]>",
    f"`;{_CODE};`",
    f"';{_CODE};//",
    f'";{_CODE};//',
    f"${{{_CODE}}}",
    f"{{{{{_CODE}}}}}",
    f"{{% raw %}}{_CODE}{{% endraw %}}",
    f"<a href='data:text/html,<script>{_CODE}</script>'>x</a>",
    f"<https://evil.example> [x]: javascript:{_CODE}",
    "![x](x 'title\" onerror=\"window.pwned=1')",
    "$$\\href{javascript:window.pwned=1}{x}$$",
    "\u2028\u2029\ufeff\u200b<b>unseen</b>",
    "\x1b]8;;http://evil.example\x07a link of terminals\x1b]8;;\x07",
    "\x00<\x00s\x00cript>",
)
assert len(set(PAYLOADS)) == 50


def poisoned(snapshot: FloorSnapshot, *, turn: int = 0) -> FloorSnapshot:
    """The snapshot with a payload in every text that a model, a file or a venue may have written.

    ``turn`` moves the payloads on, so that others stand in the same place.
    """

    def text(index: int) -> str:
        return PAYLOADS[(index + turn) % len(PAYLOADS)]

    decisions = tuple(
        replace(
            card,
            desk=text(index),
            rationale=text(index),
            abstain_reason=text(index),
            notes=((text(index + 1), text(index)),),
            verdicts=tuple(
                replace(line, intent=text(index), rule=text(index), message=text(index)) for line in card.verdicts
            ),
            tools=tuple(replace(line, tool=text(index), arguments_json=text(index)) for line in card.tools),
            prompt_hash=text(index),
        )
        for index, card in enumerate(snapshot.decisions)
    )
    desks = tuple(
        replace(
            desk,
            name=text(index),
            tag=text(index),
            status=text(index),
            last_action=text(index),
            models=(("analyst", text(index)),),
            tied_with=(text(index),),
            positions=tuple(replace(row, instrument=text(index), quantity=text(index)) for row in desk.positions),
        )
        for index, desk in enumerate(snapshot.desks)
    )
    trades = tuple(
        replace(trade, desk=text(at), instrument=text(at), side=text(at), quantity=text(at))
        for at, trade in enumerate(snapshot.trades)
    )
    return replace(
        snapshot,
        season=text(0),
        benchmark_name=text(1),
        status_text=text(2),
        breaker=text(4),
        decisions=decisions,
        desks=desks,
        trades=trades,
    )
