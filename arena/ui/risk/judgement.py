"""How the measures did: on history, on the last month bar by bar, and on a season's own books."""

from arena.ui.components.markup import Html, element
from arena.ui.risk.drawings import result_chart, strip
from arena.ui.risk.parts import METHODS, Document, light, numeric, panel, probability, table
from trading.domain.instants import parse_instant, to_ms


def trail_panel(document: Document) -> Html | None:
    """The last month of results against the VaR that was forecast of each."""
    trail = document["trail"]
    if trail is None:
        return None
    chart = result_chart(trail["returns"], trail["var"], trail["begin"], trail["end"])
    beyond = sum(-value > limit for value, limit in zip(trail["returns"], trail["var"], strict=True))
    caption = f"line = filtered VaR 99 % · coloured bars broke it: {beyond} of {0.01 * len(trail['var']):.1f} expected"
    return panel("Result of each bar against VaR", caption, element("div", chart, class_="tf-rk-body"))


def history_panel(document: Document) -> Html | None:
    """The back-tests of the VaR of the next bar on history."""
    if not document["backtest"]:
        return None
    rows = [
        (
            element("td", METHODS.get(method, method)),
            numeric(f"{row['exceedances']} of {row['expected']:.1f}"),
            numeric(probability(row["kupiec_p"])),
            numeric(probability(row["independence_p"])),
            element("td", light(row["light"])),
            element("td", row["verdict"], class_="tf-rk-wrap"),
        )
        for method, row in document["backtest"].items()
    ]
    count = next(iter(document["backtest"].values()))["observations"]
    heads = (
        ("VaR 99 % of the next bar", None), ("Beyond", "tf-num"), ("Kupiec p", "tf-num"),
        ("Christoffersen p", "tf-num"),
        ("Basel", None), ("Verdict", None),
    )  # fmt: skip
    return panel("How the measures did on history", f"{count:,} bars", table("Back-tests on history", heads, rows))


def season_panel(document: Document) -> Html | None:
    """The back-tests of a season's own books."""
    found = document["season_backtest"]
    if found is None:
        return None
    title = "How the measures did in this season"
    if found["reason"]:
        return panel(title, None, element("p", f"No back-test: {found['reason']}.", class_="tf-rk-say"))
    begin, end = (to_ms(parse_instant(found[key])) for key in ("begin", "end"))
    rows = []
    for row in found["desks"]:
        moves = row["moves"]
        at = [(to_ms(parse_instant(text)) - begin) / max(end - begin, 1) for text in row["exceeded_at"]]
        label = f"{row['desk']}: {moves['exceedances']} steps beyond the VaR"
        rows.append(
            (
                element("td", row["desk"]),
                element("td", METHODS[row["method"]]),
                element("td", strip(at, label), class_="tf-rk-wide"),
                numeric(f"{moves['exceedances']} of {moves['expected']:.1f}"),
                numeric(str(row["equity"]["exceedances"])),
                element("td", light(moves["light"])),
                element("td", moves["verdict"], class_="tf-rk-wrap"),
            )
        )
    heads = (
        ("Desk", None), ("VaR 99 %", None), (f"{found['begin'][:10]} to {found['end'][:10]}", None),
        ("Beyond", "tf-num"),
        ("By equity", "tf-num"), ("Basel", None), ("Verdict", None),
    )  # fmt: skip
    say = (
        "Each desk's positions at each mark against the next price move; by equity, trades, fees and funding are "
        f"in it. One step is {found['horizon_s'] / 60:g} min."
    )
    return panel(title, None, table("Back-tests of the season", heads, rows), element("p", say, class_="tf-rk-say"))
