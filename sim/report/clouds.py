"""The report of `peakday cloud`: policies side by side, what they cost and what they lose, with intervals over the seeds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from sim.intervals import t_interval
from sim.metrics.cloud import frontier
from sim.plots.style import quantity
from sim.report.answers import Answer, kept_together
from sim.report.assumptions import assumptions
from sim.report.document import FILE_NAME, inline_svg
from sim.report.page import closing, rendered
from sim.report.rows import Table

_COLUMNS = ("peak_machines", "machine_h", "cost_rmb", "orders", "orders_lost")
_HEAD = ("policy", "machines, most", "machine hours", "cost, RMB", "orders", "orders lost", "pages failed, first hour")


def write_clouds_report(
    directory: Path, rows: pd.DataFrame, params: Mapping[str, Any], command: str, provenance: Mapping[str, Any]
) -> Path:
    """Write `directory`/report.html: self-contained, no script, no outside reference.

    Parameters
    ----------
    directory : the folder, with frontier.svg and machines.svg in it
    rows : a row for each policy and seed: year, policy, seed and figures of the real day
    params : config of a run
    command : what runs it again
    provenance : how it was made, any JSON
    """
    first, last = int(rows["year"].min()), int(rows["year"].max())
    text = rendered(
        "clouds.html.j2",
        answers=_answers(rows, first, last),
        figures={
            name: Markup(inline_svg((directory / f"{name}.svg").read_text(encoding="utf-8"), name))
            for name in ("frontier", "machines")
        },
        policies=_table(f"The policies on 11 November {first}", rows[rows["year"] == first]),
        year_after=_table(f"The year after, {last}", rows[rows["year"] == last]) if last > first else None,
        seeds=rows["seed"].nunique(),
        **closing(directory, assumptions(params), command, provenance),
    )
    path = directory / FILE_NAME
    path.write_text(text, encoding="utf-8")
    return path


def _answers(rows: pd.DataFrame, first: int, last: int) -> list[Answer]:
    year = rows[rows["year"] == first]
    means = year.groupby("policy", sort=False)[list(_COLUMNS)].mean().reset_index()
    best = frontier(means).sort_values("orders_lost", kind="stable")
    fewest, cheapest = str(best["policy"].iloc[0]), str(best["policy"].iloc[-1])
    text = f"“{fewest}” loses the fewest orders, {_told(year, fewest, 'orders_lost')}, for RMB {_told(year, fewest, 'cost_rmb')}"
    if fewest == cheapest:
        text += f", and is the cheapest of {len(means)} policies, too."
    else:
        text += (
            f"; “{cheapest}” is the cheapest, RMB {_told(year, cheapest, 'cost_rmb')}, and loses "
            f"{_told(year, cheapest, 'orders_lost')}. {len(best)} of {len(means)} policies are not beaten by another in both."
        )
    answers = [Answer(f"Which policy, in {first}?", f"{fewest} loses the fewest", kept_together(text))]
    after = rows[rows["year"] == last]
    if last > first and after["policy"].nunique() > 1:
        sentences = [
            f"“{policy}”: {_told(after, policy, 'orders_lost')} orders lost for RMB {_told(after, policy, 'cost_rmb')}"
            for policy in dict.fromkeys(after["policy"])
        ]
        lost = after.groupby("policy", sort=False)["orders_lost"].mean()
        verdict = f"{lost.idxmin()} loses fewer" if lost.nunique() > 1 else "Both lose the same"
        answers.append(Answer(f"And in {last}?", verdict, kept_together("; ".join(sentences) + ".")))
    return answers


def _table(heading: str, rows: pd.DataFrame) -> Table:
    lines = [
        (
            str(policy),
            *(_told(rows, str(policy), column) for column in _COLUMNS),
            _told(rows, str(policy), "error_rate_first_hour", percent=True),
        )
        for policy in dict.fromkeys(rows["policy"])
    ]
    note = "Of the real day. A machine is paid from its order to its stop, while it boots and drains too."
    if rows["seed"].nunique() > 1:
        note += " Mean over seeds ± half-width of its 95 % interval (Student)."
    return Table(heading, _HEAD, lines, note)


def _told(rows: pd.DataFrame, policy: str, column: str, *, percent: bool = False) -> str:
    """The mean of a policy's seeds and, where there are several, the half-width of its 95 % interval."""
    values = rows.loc[rows["policy"] == policy, column].to_numpy(dtype=float) * (100.0 if percent else 1.0)
    mean, unit = float(np.mean(values)), " %" if percent else ""
    told = f"{mean:.2f}" if percent else quantity(mean)
    if values.size < 2:
        return f"{told}{unit}"
    half = float(t_interval(values).half_width)
    return f"{told} ± {f'{half:.2f}' if percent else quantity(half, 2)}{unit}"
