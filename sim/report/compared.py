"""A what-if in words: differences of key figures as people read them, and the paragraph that answers the question."""

import numpy as np
import pandas as pd

from sim.metrics.differences import LESS, MORE, NONE_SHOWN, SAME, UNKNOWN
from sim.plots.latency import duration
from sim.plots.style import quantity
from sim.report.answers import kept_together
from sim.report.rows import KEY_FIGURES, NONE, KeyFigure, Table, shown
from sim.units import unit_of

WORDS = {
    "count": ("fewer", "more"),
    "real": ("fewer", "more"),
    "share": ("lower", "higher"),
    "latency": ("shorter", "longer"),
    "hours": ("shorter", "longer"),
    "amount": ("less", "more"),
}
SENTENCES = {
    "lead_time_p95_h": "95 % of all parcels are signed within {change} of the order instead of {base}",
    "lead_time_median_h": "half of all parcels are signed within {change} of the order instead of {base}",
    "signed_share_day7": "by 18 November 00:00 {change} of the parcels are signed instead of {base}",
    "hub_overflow_h": "vehicles wait at full hubs in {change} hub-hours instead of {base}",
    "error_rate_first_hour": "{change} of the first hour’s page requests fail instead of {base}",
    "page_time_mean_s": "a page takes {change} on the mean instead of {base}",
    "latency_p99_s": "one page in a hundred takes longer than {change} instead of {base}",
    "orders_lost": "{change} orders are lost to a failing site instead of {base}",
    "gmv_rmb": "RMB {change} are sold instead of {base}",
    "truck_trips": "trucks make {change} trips instead of {base}",
    "train_trips": "trains make {change} trips instead of {base}",
    "cost_rmb": "all trips cost RMB {change} instead of {base}",
    "promise_kept_share": "merchants hand over {change} of the parcels as promised instead of {base}",
}
"""What an answer is made of, in this order; it begins with the first that differs, unless another one is chosen."""
_KNOWN = {figure.name: figure for figure in KEY_FIGURES}
_LABELS = {
    "lost_rmb": "Sales lost to a failing site, RMB",
    "peak_orders_per_s": "Orders in the busiest second",
    "machine_hours": "Machine hours",
    "parcels_signed": "Parcels signed",
    "national_peak_after_days": "Days until the country’s busiest day",
    "refused_parcels": "Parcels that a carrier had no room for",
    "forward_parcels": "Parcels sent from regional warehouses",
    "stock_missed_items": "Items that regional warehouses lacked",
    "saved_km": "Parcel-kilometres of road saved",
    "rehearsal_down_s": "Rehearsal: down without the plan",
    "rehearsal_down_planned_s": "Rehearsal: down with the plan",
    "rehearsal_lost_share": "Rehearsal: sales lost without the plan",
    "rehearsal_lost_planned_share": "Rehearsal: sales lost with the plan",
}
_PROVINCES = 3
_ROUGHLY = 0.2
_SHOWN_DAYS_H = 2.4  # a tenth of a day
_REAL = ("national_peak_after_days", "refused_parcels", "forward_parcels", "stock_missed_items", "saved_km")


def known(figure: str) -> KeyFigure:
    """How a key figure is shown, also one that the report of a run leaves out."""
    if figure in _KNOWN:
        found = _KNOWN[figure]
        return found._replace(kind="amount") if figure in ("cost_rmb", "postage_rmb") else found
    label = _LABELS.get(figure) or figure.replace("_", " ").capitalize()
    if figure in _REAL:
        return KeyFigure(figure, label, "real")
    kind = {"share": "share", "s": "latency", "h": "real"}.get(unit_of(figure) or "", "count")
    return KeyFigure(figure, label, "share" if figure.startswith("signed_share") else kind)


def labelled(differences: pd.DataFrame, scale: float) -> pd.DataFrame:
    """Differences of key figures for people: counts scaled up to the real day, texts with units.

    `differences` comes from `metrics.differences`. Added are `label`, `kind`, `base_text`, `change_text`, `text` (of the
    difference), `interval_text`, `word` (the verdict), `differs` (bool), and `share`, `low_share`, `high_share` of the base (NaN
    where that is zero).
    """
    shows = [known(figure) for figure in differences["figure"]]
    factor = np.array([1.0 / scale if one.kind == "count" else 1.0 for one in shows])
    table = differences.assign(label=[one.label for one in shows], kind=[one.kind for one in shows])
    numbers = ["base", "change", "difference", "low", "high"]
    table[numbers] = table[numbers].to_numpy(dtype=float) * factor[:, None]
    rows = list(table.itertuples())
    texts = [_told_apart(row.base, row.change, row.kind) for row in rows]
    table["base_text"], table["change_text"] = [text for text, _ in texts], [text for _, text in texts]
    table["text"] = [difference_text(row.difference, row.kind) for row in rows]
    table["interval_text"] = [interval_text(row.low, row.high, row.kind) for row in rows]
    table["word"] = [_word(row.verdict, row.kind, row.label) for row in rows]
    table["differs"] = table["verdict"].isin((LESS, MORE))
    over = table["base"].abs().where(table["base"] != 0)
    for name, column in (("share", "difference"), ("low_share", "low"), ("high_share", "high")):
        table[name] = table[column] / over
    return table


def difference_text(value: float, kind: str) -> str:
    """A difference with its sign: "+1.1 points", "−13 h", "+1,230"."""
    if np.isnan(value):
        return NONE
    if value == 0:
        return "0"
    return f"{'+' if value > 0 else '−'}{_size(abs(value), kind)}"


def interval_text(low: float, high: float, kind: str) -> str:
    """An interval of a difference: "−15 to −11 h"."""
    if np.isnan(low):
        return NONE
    return _shared(difference_text(low, kind), difference_text(high, kind))


def _shared(low: str, high: str) -> str:
    """Two ends of an interval; a unit that they share is said once."""
    (first, _, unit), (_, _, other) = low.partition(" "), high.partition(" ")
    return f"{first if unit == other else low} to {high}"


def _size(value: float, kind: str) -> str:
    if kind == "share":
        return f"{100 * value:.2g} points" if value < 0.1 else f"{100 * value:.0f} points"
    if kind == "hours":
        return f"{value:.2g} h" if value < 100 else f"{value:.0f} h"
    return duration(value) if kind == "latency" else quantity(value, 3)


def _told_apart(base: float, change: float, kind: str) -> tuple[str, str]:
    """Both values with as many digits as it takes to see how much they differ."""
    usual = _value(base, kind), _value(change, kind)
    if base == change or not np.isfinite(base + change) or (kind == "hours" and _is_seen(base, change, _SHOWN_DAYS_H)):
        return usual
    size = float(np.floor(np.log10(max(abs(base), abs(change)))))
    for digits in range(4, 10):
        step = 10.0 ** ({"share": -1, "hours": 2, "latency": size}.get(kind, size - 1) + 2 - digits)
        if _is_seen(base, change, step):
            return _with_digits(base, kind, digits), _with_digits(change, kind, digits)
    return usual


def _is_seen(base: float, change: float, step: float) -> bool:
    """Whether the difference of two values is roughly what it seems to be when they are rounded to a step."""
    seen = step * (round(change / step) - round(base / step))
    return abs(seen - (change - base)) <= _ROUGHLY * abs(change - base)


def _with_digits(value: float, kind: str, digits: int) -> str:
    if kind == "share":
        return f"{100 * value:.{digits - 3}f} %"
    if kind == "hours":
        return f"{value:,.{digits - 4}f} h"
    if kind == "latency":
        return f"{value:.{digits - 1}g} s" if value >= 1 else f"{1000 * value:.{digits - 1}g} ms"
    return quantity(value, digits)


def _value(value: float, kind: str) -> str:
    if np.isnan(value):
        return NONE
    if kind == "share" and 0 < value < 0.01:
        return f"{100 * value:.3g} %"
    return quantity(value, 4) if kind == "amount" else shown(value, kind)


def _word(verdict: str, kind: str, label: str) -> str:
    if verdict not in (LESS, MORE):
        return verdict
    fewer, more = WORDS["amount" if "RMB" in label else kind]
    return fewer if verdict == LESS else more


def headline(rows: pd.DataFrame, chosen: str | None = None) -> str:
    """The key figure that a what-if is about: the chosen one, or the first of `SENTENCES` that differs under any change."""
    if chosen is not None:
        return chosen
    differing, measured = set(rows.loc[rows["differs"], "figure"]), list(rows["figure"])
    return next(
        (name for name in SENTENCES if name in differing), next((n for n in SENTENCES if n in measured), measured[0])
    )


def answer(rows: pd.DataFrame, figure: str, groups: pd.DataFrame | None = None) -> tuple[str, str]:
    """Verdict in a few words and the answering paragraph for one change, beginning with a figure.

    `rows` are those of one change from `labelled`, `groups` those of one change from `metrics.differences.group_differences`.
    """
    by_figure = {row.figure: row for row in rows.itertuples()}
    names = [name for name in dict.fromkeys((figure, *SENTENCES)) if name in by_figure]
    differing = [by_figure[name] for name in names if by_figure[name].differs]
    unclear = [by_figure[name] for name in names if by_figure[name].verdict == NONE_SHOWN]
    sentences = []
    for row in differing:
        template = SENTENCES.get(row.figure, "{label} is {change} instead of {base}")
        text = template.format(label=row.label, change=row.change_text, base=row.base_text)
        ends = sorted((abs(row.low), abs(row.high)))
        interval = _shared(_size(ends[0], row.kind), _size(ends[1], row.kind))
        sentences.append(
            f"{text[0].upper()}{text[1:]}: {_size(abs(row.difference), row.kind)} {row.word} (95 % interval {interval})."
        )
    sentences += _felt(groups)
    if unclear:
        listed = "; ".join(f"{row.label} ({row.interval_text})" for row in unclear)
        sentences.append(f"These runs can show no difference in: {listed}.")
    same = [by_figure[name].label for name in names if by_figure[name].verdict == SAME]
    if same:
        sentences.append(f"The same in every run: {'; '.join(same)}.")
    return _verdict(by_figure.get(figure)), kept_together(" ".join(sentences))


def _felt(groups: pd.DataFrame | None) -> list[str]:
    """The provinces where the change is felt most, of those where it is."""
    if groups is None or groups.empty:
        return []
    own = groups[(groups["by"] == "province") & groups["differs_days"]]
    own = own.sort_values("days", key=np.abs, ascending=False, kind="stable").head(_PROVINCES)
    listed = ", ".join(f"{row.group} ({difference_text(24 * row.days, 'hours')})" for row in own.itertuples())
    return [f"The mean time from order to signature changes most in {listed}."] if listed else []


def _verdict(row: object) -> str:
    if row is None or getattr(row, "verdict", UNKNOWN) == UNKNOWN:
        return "Not measured"
    found = pd.Series(row._asdict())  # type: ignore[attr-defined]
    if found["differs"]:
        return kept_together(f"{found['label']}: {_size(abs(found['difference']), found['kind'])} {found['word']}")
    return f"{found['label']}: {found['word']}"


def difference_rows(rows: pd.DataFrame) -> Table:
    """All key figures of one change side by side."""
    differing = rows[~rows["verdict"].isin((SAME, UNKNOWN))]
    cells = [
        (row.label, row.base_text, row.change_text, row.text, row.interval_text, row.word)
        for row in differing.itertuples()
    ]
    same = "; ".join(f"{row.label} {row.base_text}" for row in rows[rows["verdict"] == SAME].itertuples())
    header = ("", "base", "change", "difference", "95 % interval", "verdict")
    note = (
        f"Means of {int(rows['pairs'].max())} runs on each side. If nothing at all differed, one interval in twenty would miss "
        "zero by chance; what hangs on a single narrow miss deserves more replications."
    )
    return Table(
        "Key figures", header, cells, kept_together(f"{note} The same in every run: {same}." if same else note)
    )


def group_rows(groups: pd.DataFrame, by: str, heading: str, scale: float, most: int) -> Table | None:
    """What becomes of the parcels of the groups that differ most, or of all when they are few; one change's rows."""
    own = groups[groups["by"] == by]
    if own.empty:
        return None
    note = ""
    if len(own) > most:
        note = f"Of {len(own)}; chosen so that at most one in twenty of those that differ is there by chance."
        own = own[own["differs_days"] | own["differs_signed_share"]]
        own = own.sort_values("days", key=np.abs, ascending=False, kind="stable").head(most)
    cells = [
        (
            str(row.group),
            quantity(row.parcels / scale),
            shown(row.base_signed_share, "share"),
            difference_text(row.signed_share, "share"),
            f"{row.base_days:.2f}",
            difference_text(24 * row.days, "hours"),
            interval_text(24 * row.low_days, 24 * row.high_days, "hours"),
        )
        for row in own.itertuples()
    ]
    if not cells:
        return None
    header = (
        "",
        "parcels",
        "signed by 18 Nov, base",
        "difference",
        "mean days to signature, base",
        "difference",
        "95 % interval",
    )
    return Table(heading, header, cells, note)


def pairing_text(rows: pd.DataFrame) -> str:
    """What the common draws are worth, in a sentence."""
    shares = rows.loc[rows["differs"] | (rows["verdict"] == NONE_SHOWN), "pairing"].dropna()
    shares = shares[shares > 0]
    if shares.empty:
        return ""
    middle = float(shares.median())
    worth = (
        f"one pair says as much as {quantity(1 / middle, 2)} independent ones"
        if middle < 1
        else "pairs say no more than others"
    )
    return kept_together(
        f"Both sides take the same draws. For the middle one of these figures the variance of the difference is "
        f"{100 * middle:.2g} % of what independent runs would give: {worth}."
    )
