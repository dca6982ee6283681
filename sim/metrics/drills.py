"""What a series of drills has shown."""

from collections.abc import Sequence

import pandas as pd

VERDICTS = (
    "unnoticed by users",
    "noticed by users",
    "makes it worse",
    "never fired",
    "fault not felt",
    "stopped by the drill's guard",
)


def verdict_counts(drills: pd.DataFrame) -> pd.DataFrame:
    """Drills by kind of fault (index) and verdict (columns, all of them), the kinds with most drills first."""
    counts = pd.crosstab(drills["fault"], drills["verdict"]).reindex(columns=list(VERDICTS), fill_value=0)
    order = counts.sum(axis=1).sort_values(ascending=False, kind="stable").index
    return counts.loc[order]


def worst_first(drills: pd.DataFrame) -> pd.DataFrame:
    """The drills by what users met in spite of the plan: those that made it worse first, then the largest extra share."""
    worse = (drills["verdict"] == "makes it worse").to_numpy()
    keyed = drills.assign(worse=worse).sort_values(["worse", "planned_extra_share"], ascending=False, kind="stable")
    return keyed.drop(columns="worse")


def helped(drills: pd.DataFrame) -> pd.Series:
    """Share of the damage that each plan spared; NaN where the fault alone did none."""
    lost = drills["without_extra_share"]
    return ((lost - drills["planned_extra_share"]) / lost).where(lost > 0)


def tally(drills: pd.DataFrame, planned: int) -> Sequence[tuple[str, str]]:
    """Words and numbers for a head line: coverage, verdicts, times."""
    fired = drills["act_s"].notna()
    times = drills.loc[fired, ["detect_s", "act_s"]].median()
    rows = [("drilled", f"{len(drills):,} of {planned:,} plans"), ("kinds of faults", f"{drills['fault'].nunique()}")]
    counts = drills["verdict"].value_counts()
    rows += [(verdict, f"{int(counts.get(verdict, 0)):,}") for verdict in VERDICTS]
    if fired.any():
        rows.append(("median from onset to detection", f"{times['detect_s']:,.0f} s"))
        rows.append(("median from onset to action", f"{times['act_s']:,.0f} s"))
    return rows
