"""The figures of a what-if, from its tables to files."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from sim.metrics.differences import SAME, UNKNOWN, flow_differences
from sim.plots import style
from sim.plots.compared import COMPARED, compared
from sim.plots.difference_map import draw_difference_map
from sim.plots.differences import draw_differences, draw_overview, draw_tornado
from sim.plots.figures import FOLDER, svg_text

Tables = Mapping[str, pd.DataFrame]
UNITS = {"share": ("percentage points", 100.0), "hours": ("hours", 1.0), "latency": ("s", 1.0)}
PANELS = 6
DIFFERENCES = "differences"
MAP = "map"
CAPTIONS = {spec.name: spec.caption for spec in COMPARED} | {
    DIFFERENCES: "A filled dot whose line does not touch zero is a difference that these runs can show.",
    MAP: "A place or a road has a colour where its own 95 % interval does not touch zero; by chance alone one in twenty "
    "would. What is not chance shows in neighbours that agree.",
    "tornado": "The changes by what they do to one key figure; where the black line crosses zero, perhaps nothing.",
    "overview": "What helps one figure may cost another: read across.",
}


def write_change_figures(
    directory: Path, tables: Tables, *, change: str, base: str, scale: float, prefix: str = ""
) -> list[str]:
    """Draw the figures of one change for which there are rows, as SVG; their names, in order, with the prefix.

    Parameters
    ----------
    directory : of the what-if; the figures go to figures/ in it
    tables : `differences`, labelled as by `report.compared`, and `groups`, `curves`, `flows`, `cities`
    change, base : names of the two sides
    """
    drawn = {}
    with mpl.rc_context(style.RC):
        if len(_shown(tables["differences"], change)):
            drawn[DIFFERENCES] = _differences(tables["differences"], change, base, scale)
        for spec in compared(tables, change):
            drawn[spec.name] = spec.draw(tables, change, base)
        if len(tables["groups"]) and len(tables["cities"]):
            places = _places(tables["groups"], tables["cities"], change)
            drawn[MAP] = draw_difference_map(places, flow_differences(tables["flows"], change), change, base)
        return [_write(directory, f"{prefix}{name}", figure) for name, figure in drawn.items()]


def write_tornados(directory: Path, differences: pd.DataFrame, figures: Sequence[str], base: str) -> list[str]:
    """The tornado of the first key figure over all changes, and small ones of several; the names of what was drawn."""
    panels = [(_label(differences, name), *tornado_rows(differences, name)) for name in figures]
    order = list(panels[0][2]["change_name"])
    with mpl.rc_context(style.RC):
        label, unit, rows = panels[0]
        names = [_write(directory, "tornado", draw_tornado(rows, label, unit, base))]
        if len(panels) > 1:
            same_order = [
                (label, unit, rows.set_index("change_name").reindex(order).reset_index().fillna({"differs": False}))
                for label, unit, rows in panels[:PANELS]
            ]
            names.append(_write(directory, "overview", draw_overview(same_order, base)))
    return names


def tornado_rows(differences: pd.DataFrame, figure: str) -> tuple[str, pd.DataFrame]:
    """Unit, and one row a change for `plots.differences.plot_tornado`, the largest difference first."""
    own = differences[differences["figure"] == figure]
    kind = str(own["kind"].iloc[0])
    unit, factor = UNITS.get(kind, ("difference", 1.0))
    if kind == "latency" and own["difference"].abs().max() < 1.0:
        unit, factor = "ms", 1000.0
    rows = own.assign(value=factor * own["difference"], low_value=factor * own["low"], high_value=factor * own["high"])
    return unit, rows.sort_values("value", key=abs, ascending=False, kind="stable", ignore_index=True)


def _label(differences: pd.DataFrame, figure: str) -> str:
    return str(differences.loc[differences["figure"] == figure, "label"].iloc[0])


def _differences(differences: pd.DataFrame, change: str, base: str, scale: float) -> Figure:
    own = differences[differences["change_name"] == change]
    same, unknown = (own["verdict"] == SAME).sum(), (own["verdict"] == UNKNOWN).sum()
    from_zero = own[own["share"].isna() & ~own["verdict"].isin((SAME, UNKNOWN))]
    notes = [style.scale_note(scale)] if scale < 1 else []
    if same:
        notes.append(f"Not shown: {same} figures that are the same in every run.")
    if len(from_zero):
        notes.append(f"Only in the table: {len(from_zero)} that are zero in the base.")
    if unknown:
        notes.append(f"Not measured: {unknown}.")
    return draw_differences(_shown(differences, change), change, base, " ".join(notes))


def _shown(differences: pd.DataFrame, change: str) -> pd.DataFrame:
    own = differences[differences["change_name"] == change]
    return own[own["share"].notna() & ~own["verdict"].isin((SAME, UNKNOWN))]


def _places(groups: pd.DataFrame, cities: pd.DataFrame, change: str) -> pd.DataFrame:
    own = groups[(groups["by"] == "city") & (groups["change_name"] == change)]
    places = own.merge(cities[["city", "longitude", "latitude"]], left_on="group", right_on="city")
    return places.assign(hours=24.0 * places["days"], differs=places["apart_days"].astype(bool))


def _write(directory: Path, name: str, figure: Figure) -> str:
    folder = directory / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.svg").write_text(svg_text(figure), encoding="utf-8")
    return name
