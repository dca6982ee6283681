"""From the tables of a run to figure files: SVG for the report, PNG for slides."""

import re
from io import StringIO
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from sim.metrics import missing_summaries
from sim.metrics.published import YEAR, gmv_milestones
from sim.metrics.sales import sales_by_second
from sim.plots import style
from sim.plots.catalogue import FIGURES, FigureSpec, Tables

PNG_DPI = 110
FOLDER = "figures"
SCREEN_FONTS = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
_PATH = re.compile(r' d="[^"]*"')
_DIGITS = re.compile(r"(\.\d\d)\d+")


def write_figures(
    directory: Path, tables: Tables, *, scale: float, year: int | None = YEAR, png: bool = True
) -> list[Path]:
    """Draw every figure for which there are rows, and save it as SVG and PNG. The same tables give the same bytes.

    Parameters
    ----------
    directory : the results folder; the figures go to figures/ in it
    scale : share of the shoppers that the run simulated; counts are shown divided by it
    year : whose published sales are shown beside the simulated ones; None: nobody's
    png : also save PNG
    """
    folder = directory / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    tables = in_memory(tables) | {"milestones": gmv_milestones(year)}
    paths = []
    with mpl.rc_context(style.RC):
        for spec in FIGURES:
            if not drawable(spec, tables):
                continue
            figure = spec.draw(tables, scale)
            paths.append(folder / f"{spec.name}.svg")
            paths[-1].write_text(svg_text(figure), encoding="utf-8")
            if png:
                paths.append(folder / f"{spec.name}.png")
                figure.savefig(paths[-1], format="png", dpi=PNG_DPI, metadata={"Software": None})
    return paths


def in_memory(tables: Tables) -> dict[str, pd.DataFrame]:
    """The tables that figures are made of, read once; of orders and parcels, which may be too many, what sums them up.

    "sales" has the orders and sales of each second, see `sim.metrics.sales.sales_by_second`.
    """
    found = {name: tables[name] for name in tables if name not in ("orders", "parcels")} | missing_summaries(tables)
    sales = sales_by_second(found if "demand_seconds" in found else tables)
    return found if sales is None else found | {"sales": sales}


def drawable(spec: FigureSpec, tables: Tables) -> bool:
    """Whether every table that the figure needs is there and has rows."""
    return all(name in tables and len(tables[name]) for name in spec.needs)


def svg_text(figure: Figure) -> str:
    """A figure as an SVG document; the same figure gives the same bytes."""
    text = StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return _PATH.sub(_shorten, text.getvalue()).replace("'DejaVu Sans'", SCREEN_FONTS)


def _shorten(path: re.Match[str]) -> str:
    """Path data with hundredths of a point: enough for the eye, and half the size."""
    return _DIGITS.sub(r"\1", path[0])
