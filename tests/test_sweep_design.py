"""Points of a sweep: every combination, tables, Latin hypercubes, Sobol sequences, and what is refused."""

import pytest

from sim.compose import Axis, axes
from sim.params import ParameterError
from sim.sweeps.design import Range, points, ranges

MACHINES = Axis("site.cells", ("site.cells=1", "site.cells=2"))
WEATHER = Axis("weather", ("weather=off", "weather=calm"))
SHARE = Range("demand.wireless_share", 0.1, 0.5, whole=False)
COUNT = Range("site.cells", 1, 4, whole=True)


def problems_of(*arguments) -> list[str]:
    with pytest.raises(ParameterError) as raised:
        points(*arguments)
    return raised.value.problems


def test_every_combination_of_the_listed_values_is_a_point():
    found = points([MACHINES, WEATHER], None, [], 1)
    assert [list(point.values.values()) for point in found] == [
        ["1", "off"],
        ["1", "calm"],
        ["2", "off"],
        ["2", "calm"],
    ]
    assert found[3].overrides == ("site.cells=2", "weather=calm")


def test_a_table_has_a_point_a_line_and_is_crossed_with_the_listed_values(tmp_path):
    table = tmp_path / "points.csv"
    table.write_text("scale, demand.wireless_share\n0.001,0.1\n\n0.002, 0.2\n", encoding="utf-8")
    found = points([WEATHER], str(table), [], 1)
    assert [point.overrides for point in found] == [
        ("weather=off", "scale=0.001", "demand.wireless_share=0.1"),
        ("weather=off", "scale=0.002", "demand.wireless_share=0.2"),
        ("weather=calm", "scale=0.001", "demand.wireless_share=0.1"),
        ("weather=calm", "scale=0.002", "demand.wireless_share=0.2"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty: it needs a line of names and a line for each point"),
        ("a\n", "is empty: it needs a line of names and a line for each point"),
        ("a,a\n1,2\n", "has two columns a"),
        ("a,\n1,2\n", "has a column without a name"),
        ("a,b\n1\n", "line 2: 2 values are needed, got 1"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path, text, told):
    table = tmp_path / "points.csv"
    table.write_text(text, encoding="utf-8")
    (problem,) = problems_of([], str(table), [], 1)
    assert told in problem


def test_a_latin_hypercube_has_one_point_in_each_stratum_of_each_axis():
    found = points([], "lhs:8", [SHARE, Range("scale", 0.0, 1.0, whole=False)], 1)
    for name, low, high in (("demand.wireless_share", 0.1, 0.5), ("scale", 0.0, 1.0)):
        strata = sorted(int(8 * (float(point.values[name]) - low) / (high - low)) for point in found)
        assert strata == list(range(8))


def test_a_sobol_sequence_fills_every_quarter_of_the_square_alike():
    found = points([], "sobol:16", [Range("a", 0.0, 1.0, whole=False), Range("b", 0.0, 1.0, whole=False)], 1)
    quarters = [(float(point.values["a"]) < 0.5, float(point.values["b"]) < 0.5) for point in found]
    assert {quarters.count(quarter) for quarter in set(quarters)} == {4}


def test_whole_values_are_drawn_with_the_same_chance_from_end_to_end():
    found = points([], "lhs:8", [COUNT], 1)
    assert sorted(point.values["site.cells"] for point in found) == ["1", "1", "2", "2", "3", "3", "4", "4"]


def test_a_design_hangs_on_the_seed_alone():
    assert points([], "lhs:8", [SHARE], 1) == points([], "lhs:8", [SHARE], 1)
    assert points([], "lhs:8", [SHARE], 1) != points([], "lhs:8", [SHARE], 2)


def test_ranges_are_told_from_other_words():
    others, found = ranges(["site.cells=1..4", "scale=0.001", "demand.wireless_share=0.1..5e-1"])
    assert others == ["scale=0.001"]
    assert found == [COUNT, SHARE]
    with pytest.raises(ParameterError, match=r"site.cells must be a range from a lower to a higher value, got 4\.\.1"):
        ranges(["site.cells=4..1"])


def test_what_is_wrong_with_axes_and_design_is_told_at_once():
    twice = Axis("weather", ("weather=off", "weather=off"))
    assert problems_of([MACHINES, twice, MACHINES], "grid:9", [], 1) == [
        "design must be FILE.csv, lhs:POINTS or sobol:POINTS; grid:9 cannot be read: No such file or directory",
        "site.cells is given twice; an axis is named once",
        "weather lists a value twice: off",
    ]
    assert "the sweep is empty" in problems_of([], None, [], 1)[0]
    assert "needs design=lhs:64" in problems_of([], None, [SHARE], 1)[0]
    assert "needs ranges to draw from" in problems_of([], "lhs:64", [], 1)[0]
    assert "a power of 2 as points, such as 8" in problems_of([], "sobol:12", [SHARE], 1)[0]
    assert "1 to 100,000 points" in problems_of([], "lhs:0", [SHARE], 1)[0]
    assert "is given twice" in problems_of([MACHINES], "lhs:4", [COUNT], 1)[0]


def test_lists_are_told_from_single_values_in_the_grammar_of_overrides():
    single, several = axes(["seed=2", "weather=off,calm", "site.cells=range(1,4)", "+a.b='x,y',z", "c=[1,2]"])
    assert single == ["seed=2", "c=[1,2]"]
    assert several == [
        Axis("weather", ("weather=off", "weather=calm")),
        Axis("site.cells", ("site.cells=1", "site.cells=2", "site.cells=3")),
        Axis("a.b", ("+a.b='x,y'", "+a.b=z")),
    ]
    with pytest.raises(ParameterError, match="cannot be listed"):
        axes(["weather=glob(*)"])
