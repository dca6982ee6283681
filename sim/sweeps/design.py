"""Points in the space of parameters: full factorial, a table, Latin hypercube, Sobol; a point is a list of overrides."""

import csv
import itertools
import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sim.compose import Axis
from sim.draws import stream
from sim.params.base import ParameterError

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"^\+{{0,2}}(?P<name>[\w.]+)=(?P<low>{_NUMBER})\.\.(?P<high>{_NUMBER})$")
_DRAWN = re.compile(r"^(?P<kind>lhs|sobol):(?P<points>\d+)$")
MOST_POINTS = 100_000


class Range(NamedTuple):
    """A parameter with a range to draw from, both ends included; a range between whole numbers has whole values."""

    name: str
    low: float
    high: float
    whole: bool


class Point(NamedTuple):
    """One point: the value of each axis as written, and the overrides that set them."""

    values: dict[str, str]
    overrides: tuple[str, ...]


def ranges(words: Sequence[str]) -> tuple[list[str], list[Range]]:
    """Words that are no ranges, and the ranges among them: `site.services.payment.machines=300..600`.

    Raises
    ------
    ParameterError
        With a message for each range that is empty.
    """
    others, found, problems = [], [], []
    for word in words:
        match = _RANGE.match(word)
        if match is None:
            others.append(word)
            continue
        low, high = float(match["low"]), float(match["high"])
        whole = not re.search(r"[.eE]", match["low"] + match["high"])
        if low >= high:
            problems.append(
                f"{match['name']} must be a range from a lower to a higher value, got {word.partition('=')[2]}"
            )
        found.append(Range(match["name"], low, high, whole))
    if problems:
        raise ParameterError(problems)
    return others, found


def points(axes: Sequence[Axis], design: str | None, drawn_from: Sequence[Range], seed: int) -> list[Point]:
    """All points: each combination of the axes' values with each row of the design.

    Parameters
    ----------
    axes : parameters that list their values
    design : None for the combinations alone, FILE.csv for a table, "lhs:64" or "sobol:64" for points drawn from the ranges
    drawn_from : the ranges
    seed : of the draws of the design

    Raises
    ------
    ParameterError
        With all that is wrong with the axes and the design.
    """
    problems = []
    rows: list[Point] = [Point({}, ())]
    try:
        rows = _rows(design, drawn_from, seed)
    except ParameterError as error:
        problems += error.problems
    names = Counter([*(axis.name for axis in axes), *(rows[0].values if rows else ())])
    problems += [f"{name} is given twice; an axis is named once" for name, count in names.items() if count > 1]
    for axis in axes:
        repeated = [text for text, count in Counter(axis.overrides).items() if count > 1]
        problems += [f"{axis.name} lists a value twice: {text.partition('=')[2]}" for text in repeated]
    if not names and not problems:
        problems.append(
            "the sweep is empty: list values of a parameter, such as site.services.payment.machines=300,600, "
            "or give a design"
        )
    count = len(rows) * math.prod(len(axis.overrides) for axis in axes)
    if count > MOST_POINTS:
        problems.append(f"the sweep must have at most {MOST_POINTS:,} points, got {count:,}")
    if problems:
        raise ParameterError(problems)
    combinations = [
        _point([(axis.name, text) for axis, text in zip(axes, texts, strict=True)])
        for texts in itertools.product(*(axis.overrides for axis in axes))
    ]
    return [
        Point(combination.values | row.values, combination.overrides + row.overrides)
        for combination in combinations
        for row in rows
    ]


def _point(overrides: Sequence[tuple[str, str]]) -> Point:
    return Point({name: text.partition("=")[2] for name, text in overrides}, tuple(text for _, text in overrides))


def _rows(design: str | None, drawn_from: Sequence[Range], seed: int) -> list[Point]:
    """The rows of a design; one row that sets nothing when there is none."""
    drawn = _DRAWN.match(design or "")
    if drawn_from and not drawn:
        names = ", ".join(one.name for one in drawn_from)
        raise ParameterError([f"a range ({names}) needs design=lhs:64 or design=sobol:64 to draw from it"])
    if design is None:
        return [Point({}, ())]
    if drawn is None:
        return _table(design)
    if not drawn_from:
        raise ParameterError([f"design={design} needs ranges to draw from: site.services.payment.machines=300..600"])
    count = int(drawn["points"])
    if not 1 <= count <= MOST_POINTS:
        raise ParameterError([f"design={design} must have 1 to {MOST_POINTS:,} points"])
    if drawn["kind"] == "sobol" and count & (count - 1):
        raise ParameterError(
            [f"design={design} must have a power of 2 as points, such as {1 << (count.bit_length() - 1)}"]
        )
    shares = _shares(drawn["kind"], count, len(drawn_from), seed)
    return [
        _point([(one.name, f"{one.name}={_value(one, share)}") for one, share in zip(drawn_from, row, strict=True)])
        for row in shares.tolist()
    ]


def _shares(kind: str, count: int, dimensions: int, seed: int) -> np.ndarray:
    """Points in the unit cube, float64[count, dimensions].

    Latin hypercube: M. D. McKay, R. J. Beckman, W. J. Conover (1979), Technometrics 21(2), doi:10.2307/1268522. Sobol sequence,
    scrambled: A. B. Owen (1998), J. Complexity 14(4), doi:10.1006/jcom.1998.0487; S. Joe, F. Y. Kuo (2008), SIAM J. Sci. Comput.
    30(5), doi:10.1137/070709359.
    """
    from scipy.stats import qmc  # slow to import

    draws = np.random.default_rng(int(stream(seed, "sweep.design")))
    sampler = {"lhs": qmc.LatinHypercube, "sobol": qmc.Sobol}[kind](d=dimensions, rng=draws)
    return np.asarray(sampler.random(count))


def _value(drawn_from: Range, share: float) -> int | float:
    """The value at a share of the way through the range; each whole value has the same chance."""
    low, high = drawn_from.low, drawn_from.high
    if drawn_from.whole:
        return min(int(low) + int(share * (high - low + 1)), int(high))
    return low + share * (high - low)


def _table(name: str) -> list[Point]:
    """The rows of a design table: dotted names in the first line, a point a line."""
    file = Path(name)
    try:
        lines = list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines(), skipinitialspace=True))
    except OSError as error:
        raise ParameterError(
            [f"design must be FILE.csv, lhs:POINTS or sobol:POINTS; {name} cannot be read: {error.strerror}"]
        ) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ParameterError([f"design={name} is not a table of comma-separated values: {error}"]) from None
    filled = [(number, line) for number, line in enumerate(lines, 1) if any(cell.strip() for cell in line)]
    if len(filled) < 2:
        raise ParameterError([f"design={name} is empty: it needs a line of names and a line for each point"])
    names = [cell.strip() for cell in filled[0][1]]
    problems = [f"design={name} has a column without a name"] if "" in names else []
    problems += [f"design={name} has two columns {column}" for column, count in Counter(names).items() if count > 1]
    problems += [
        f"design={name}, line {number}: {len(names)} values are needed, got {len(line)}"
        for number, line in filled[1:]
        if len(line) != len(names)
    ]
    if problems:
        raise ParameterError(problems)
    bare = [column.lstrip("+") for column in names]
    return [
        _point([(short, f"{column}={cell.strip()}") for short, column, cell in zip(bare, names, line, strict=True)])
        for _, line in filled[1:]
    ]
