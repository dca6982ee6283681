"""Two sides of a what-if, run by run: differences of key figures and of groups of parcels, with intervals.

Runs with the same seed share their draws, so each pair gives one difference, and the interval is Student's for these.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sim.intervals import LEVEL, false_discoveries_kept_to, t_interval, t_p_value

Figures = Mapping[str, float | int | None]

OF_THE_RUN = ("scale", "seed", "shoppers", "wall_s", "peak_rss_bytes")
"""Key figures that are not about what was simulated."""
LESS, MORE, SAME = "less", "more", "the same in every run"
NONE_SHOWN, UNKNOWN = "no difference that these runs can show", "not measured"
MEASURES = ("signed_share", "days")


def key_figure_differences(base: Sequence[Figures], change: Sequence[Figures]) -> pd.DataFrame:
    """Differences of every key figure, one row each, in the units of `kpis`: not scaled up.

    Parameters
    ----------
    base, change : key figures of the runs of each side, in the same order of seeds

    Returns
    -------
    `figure`; means `base` and `change`; `difference` of these with the interval from `low` to `high`; `p`, the probability
    of such a difference by chance; `pairs`, how many runs of each side have the figure; `pairing`, the variance of the
    difference as a share of what independent runs would give (NaN where nothing varies); `verdict`: more, less, the
    same in every run, or no difference that these runs can show. A figure that fewer than two pairs have is "not measured";
    one that no run has is left out.
    """
    rows = []
    for figure in base[0]:
        if figure in OF_THE_RUN:
            continue
        both = [(one.get(figure), other.get(figure)) for one, other in zip(base, change, strict=True)]
        if all(value is None for pair in both for value in pair):
            continue
        values = np.array([pair for pair in both if None not in pair], dtype=float).reshape(-1, 2)
        rows.append({"figure": figure, **_difference(values)})
    columns = ("figure", "base", "change", "difference", "low", "high", "p", "pairs", "pairing", "verdict")
    return pd.DataFrame(rows, columns=list(columns))


def _difference(values: np.ndarray) -> dict[str, object]:
    """Base and change of each pair, float64[pairs, 2]."""
    pairs = len(values)
    if pairs < 2:
        unknown = dict.fromkeys(("base", "change", "difference", "low", "high", "p", "pairing"), np.nan)
        return {**unknown, "pairs": pairs, "verdict": UNKNOWN}
    difference = values[:, 1] - values[:, 0]
    interval, p = t_interval(difference), float(t_p_value(difference))
    apart = float(values.var(axis=0, ddof=1).sum())
    return {
        "base": values[:, 0].mean(),
        "change": values[:, 1].mean(),
        "difference": float(interval.mean),
        "low": float(interval.low),
        "high": float(interval.high),
        "p": p,
        "pairs": pairs,
        "pairing": float(difference.var(ddof=1)) / apart if apart > 0 else np.nan,
        "verdict": _verdict(difference, p),
    }


def _verdict(difference: np.ndarray, p: float) -> str:
    if not difference.any():
        return SAME
    return NONE_SHOWN if p > 1 - LEVEL else MORE if difference.mean() > 0 else LESS


def group_differences(groups: pd.DataFrame, change: str) -> pd.DataFrame:
    """Differences of what becomes of the parcels of each group.

    Parameters
    ----------
    groups : `metrics.fates.fates` of all runs, with the columns `side` ("base" or a change) and `seed`
    change : which change

    Returns
    -------
    One row for each group that has parcels in every run: `by`, `group`, `parcels` (mean of the base, not scaled up), and for each
    of `MEASURES` the means `base_X` and `change_X`, the difference `X` with `low_X` and `high_X`; `apart_X`: whether that
    interval leaves out zero; `differs_X`: whether to believe it also when it is picked from all groups of a kind, so that of all
    the believed ones one in twenty may be chance.
    """
    rows = []
    for by, own in groups[groups["side"].isin(("base", change))].groupby("by", sort=False):
        wide = own.pivot_table(index="group", columns=["side", "seed"], values=["parcels", *MEASURES]).dropna()
        if wide.empty:
            continue
        found: dict[str, object] = {"by": by, "group": wide.index, "parcels": wide["parcels"]["base"].mean(axis=1)}
        for measure in MEASURES:
            base, changed = (wide[measure][side].to_numpy().T for side in ("base", change))
            interval, p = t_interval(changed - base), t_p_value(changed - base)
            found |= {
                f"base_{measure}": base.mean(axis=0),
                f"change_{measure}": changed.mean(axis=0),
                measure: interval.mean,
                f"low_{measure}": interval.low,
                f"high_{measure}": interval.high,
                f"apart_{measure}": p <= 1 - LEVEL,
                f"differs_{measure}": false_discoveries_kept_to(1 - LEVEL, p),
            }
        rows.append(pd.DataFrame(found).reset_index(drop=True))
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["by", "group"])


def flow_differences(flows: pd.DataFrame, change: str) -> pd.DataFrame:
    """Parcels that travel between two cities under a change, beyond those of the base; the largest differences last.

    `flows` is `metrics.hubs.flows` of all runs, with the columns `side` and `seed`. Returned are its columns for places and rail,
    `parcels`, the mean difference, and `differs`: whether its interval leaves out zero. Cities without a trip have none.
    """
    places = ["from_longitude", "from_latitude", "to_longitude", "to_latitude", "rail"]
    if flows.empty:
        return pd.DataFrame(columns=[*places, "parcels", "differs"])
    own = flows[flows["side"].isin(("base", change))]
    wide = own.pivot_table(index=places, columns=["side", "seed"], values="parcels", fill_value=0.0)
    difference = (wide[change] - wide["base"]).to_numpy().T
    found = wide.index.to_frame(index=False).assign(
        parcels=difference.mean(axis=0), differs=t_p_value(difference) <= 1 - LEVEL
    )
    return found.sort_values("parcels", key=np.abs, kind="stable", ignore_index=True)


def hubs_that_differ(curves: pd.DataFrame, prefix: str, change: str, count: int) -> list[str]:
    """Names of the curves with a prefix that differ most between a change and the base, on the mean over time and runs."""
    own = curves[curves["curve"].str.startswith(prefix) & curves["side"].isin(("base", change))]
    mean = own.pivot_table(index=["curve", "x"], columns="side", values="y")
    apart = (mean[change] - mean["base"]).abs().groupby("curve").mean().sort_values(ascending=False, kind="stable")
    return [str(name) for name in apart.index[:count] if apart[name] > 0]


def bands(curves: pd.DataFrame, curve: str, side: str) -> pd.DataFrame:
    """One curve of one side over its runs: `x`, `mean`, `low`, `high`; the latter the least and the most of the runs.

    `curves` is `metrics.curves.curves` of all runs, with the columns `side` and `seed`.
    """
    wide = _wide(curves, curve, side)
    values = wide.to_numpy()
    return pd.DataFrame(
        {"x": wide.index.to_numpy(), "mean": values.mean(axis=1), "low": values.min(axis=1), "high": values.max(axis=1)}
    )


def difference_band(curves: pd.DataFrame, curve: str, change: str) -> pd.DataFrame:
    """Difference of one curve between a change and the base: `x`, `mean`, and its interval from `low` to `high`."""
    base, changed = _wide(curves, curve, "base"), _wide(curves, curve, change)
    interval = t_interval((changed - base).dropna().to_numpy().T)
    x = (changed - base).dropna().index.to_numpy()
    return pd.DataFrame({"x": x, "mean": interval.mean, "low": interval.low, "high": interval.high})


def _wide(curves: pd.DataFrame, curve: str, side: str) -> pd.DataFrame:
    """Runs side by side, at the places that all of them have."""
    own = curves[(curves["curve"] == curve) & (curves["side"] == side)]
    return own.pivot(index="x", columns="seed", values="y").dropna()
