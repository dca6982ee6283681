"""The question of a what-if: the grammar of changes, what goes on top of what, and what is refused with its reason."""

import copy
import functools
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import cli
from sim import runner, whatif
from sim.compose import compose
from sim.params.base import ParameterError
from sim.report.changed import changed
from sim.whatif.question import stacked
from sim.whatif.words import alternatives, divided, work_out
from tests.doubles import stand_in


@pytest.fixture(autouse=True, scope="module")
def composed_once():
    """Each config is composed once: that takes longer than all else in most of these tests."""
    once = functools.cache(lambda name, overrides: compose(name, overrides))
    patch = pytest.MonkeyPatch()
    patch.setattr(runner, "compose", lambda name, overrides=(): copy.deepcopy(once(name, tuple(overrides))))
    yield
    patch.undo()


def problems_of(*changes: str, base: str = "festival_2012", common: tuple[str, ...] = ()) -> str:
    with pytest.raises(ParameterError) as caught:
        whatif.ask(base, changes, common)
    return str(caught.value)


# The grammar of changes


def test_commas_divide_changes_and_spaces_their_words_but_not_inside_brackets_or_quotes() -> None:
    text = 'more_trucks, slow: parcels.truck={speed_kmh: 60, handling_s: 1} site=off,parcels.pickup_clocks=["10:00", "13:00"]'
    found = alternatives(text)
    assert [one.label for one in found] == [None, "slow", None]
    assert [one.experiments for one in found] == [("more_trucks",), (), ()]
    assert found[1].overrides == ("parcels.truck={speed_kmh: 60, handling_s: 1}", "site=off")
    assert found[2].overrides == ('parcels.pickup_clocks=["10:00", "13:00"]',)


def test_an_apostrophe_in_a_name_opens_no_quotes() -> None:
    assert divided("a.Xi'an.b=x2,c=x3", ",") == ["a.Xi'an.b=x2", "c=x3"]


@given(st.lists(st.sampled_from(["a", "b=1", "c={d: 1, e: 2}", "f=[1, 2]", "g='h, i'"]), min_size=1, max_size=5))
def test_what_is_joined_by_commas_is_divided_again(parts: list[str]) -> None:
    assert divided(",".join(parts), ",") == parts


def test_a_factor_multiplies_every_number_of_a_group_and_keeps_integers() -> None:
    config: dict[str, Any] = {
        "links": {"north": {"pc": 400, "wireless": 3.5}, "south": {"pc": 3, "wireless": 0.1}},
        "name": "n",
    }
    after, told = work_out(config, ("links.*.wireless=x3", "links.north=x1.5"))
    assert after["links"] == {"north": {"pc": 600, "wireless": 15.75}, "south": {"pc": 3, "wireless": 0.3}}
    assert isinstance(after["links"]["north"]["pc"], int)
    assert told[-1] == "links.north={pc: 600, wireless: 15.75}"
    assert config["links"]["south"]["wireless"] == 0.1


def test_a_star_sets_a_value_in_every_place() -> None:
    after, told = work_out({"a": {"b": {"c": 1}, "d": {"c": 2}}}, ("a.*.c=7",))
    assert after == {"a": {"b": {"c": 7}, "d": {"c": 7}}}
    assert told == ["a.b.c=7", "a.d.c=7"]


def test_factors_reach_names_that_overrides_cannot_write() -> None:
    question = whatif.ask("festival_2012", ["parcels.carriers.*.hubs.*.storage_parcels=x2"])
    hubs = [side.config["parcels"]["carriers"]["STO"]["hubs"] for side in question.sides]
    assert hubs[1]["Xi'an"]["storage_parcels"] == 2 * hubs[0]["Xi'an"]["storage_parcels"]
    assert hubs[1]["Xi'an"]["sort_per_h"] == hubs[0]["Xi'an"]["sort_per_h"]


def own_trucks(side: whatif.Side | str) -> int:
    """STO's trucks under a side of a question or an experiment."""
    config = runner.composed(side) if isinstance(side, str) else side.config
    return int(config["parcels"]["carriers"]["STO"]["own_trucks"])


def test_a_change_goes_on_top_of_the_base() -> None:
    question = whatif.ask("snow_northeast", ["more_trucks", "hired_sorters parcels.truck.speed_kmh=60"])
    for side in question.sides:
        assert side.config["weather"]["fronts"]
    trucks, sorters = question.changes
    assert own_trucks(trucks) == own_trucks("more_trucks") > 2 * own_trucks("festival_2012")
    assert trucks.experiment == "snow_northeast+more_trucks"
    assert sorters.config["parcels"]["sorting"]["hired"]
    assert sorters.config["parcels"]["truck"]["speed_kmh"] == 60
    assert "4,000 more line-haul trucks" in trucks.about


def test_a_change_of_the_default_experiment_is_found_by_its_own_name() -> None:
    assert stacked("festival_2012", ["more_trucks"]) == "more_trucks"
    assert stacked("festival_2012", []) == "festival_2012"
    assert stacked("festival_2013", ["more_trucks"]) == "festival_2013+more_trucks"


def test_the_change_rail_pair_adds_the_pair_that_2012_had() -> None:
    base, pair = whatif.ask("no_rail", ["rail_pair"]).sides
    assert base.config["parcels"]["carriers"]["STO"]["trains"] == []
    assert pair.config["parcels"] == runner.composed("festival_2012")["parcels"]


# Bad input


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((), "change= is missing"),
        (("more_truks",), "experiment=more_truks is not an option of experiment; did you mean more_trucks?"),
        (("festival_2012",), "changes nothing: every parameter is as in the base festival_2012"),
        (("parcels.truck.speed_kmh=73",), "changes nothing"),
        (("more_trucks,more_trucks",), "is the same as change=more_trucks"),
        (("scale=0.1",), "may not set scale: both sides are compared at one scale"),
        (("more_trucks seed=3",), "may not set seed"),
        (("+experiment=more_trucks",), "may not set experiment"),
        (("parcels.truck.sped_kmh=60",), "parcels.truck.sped_kmh is not a parameter; did you mean speed_kmh?"),
        (("parcels.truck.sped_kmh=x2",), "parcels.truck.sped_kmh is not a parameter; did you mean speed_kmh?"),
        (("parcels.timetable_clocks=x2",), "needs numbers"),
        (("weather.fronts=x2",), "weather is switched off (null)"),
        (("more_trucks,",), "has nothing in it"),
        (("a: more_trucks,a: hired_sorters",), "two changes are called 'a'"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_its_reason(changes: tuple[str, ...], words: str) -> None:
    assert words in problems_of(*changes)


def test_an_interval_needs_two_pairs() -> None:
    told = problems_of("more_trucks", common=("replications=1",))
    assert told == "replications must be >= 2: an interval needs two pairs of runs at least, got 1"


def test_everything_wrong_is_told_at_once() -> None:
    told = problems_of("more_truks", "scale=0.1", common=("replications=1", "output=null"))
    assert told.count("\n") == 3


def test_the_command_refuses_before_anything_is_simulated(capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    double = stand_in(monkeypatch)
    for words, said in (
        (["change=parcels.truck.speed_kmh=-1"], "parcels.truck.speed_kmh must be > 0 [km/h], got -1"),
        (
            ["change=more_trucks", "figure=lead_time_p95"],
            "figure=lead_time_p95 is not a key figure; did you mean lead_time_p95_h?",
        ),
        (["base=a", "base=b", "change=more_trucks"], "base= must be given once"),
        (["experiment=no_rail", "change=more_trucks"], "write base=NAME and change=NAME"),
    ):
        assert cli.main(["whatif", *words]) == 2
        assert said in capsys.readouterr().err
    assert double.runs == []
    assert list(tmp_path.iterdir()) == []


def test_cfg_job_prints_what_differs_and_runs_nothing(capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["whatif", "change=site.links.gbit_per_s.*.wireless=x25", "--cfg", "job"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"site.links.gbit_per_s.mainland.wireless +3.5 +87.5 +Gbit/s", printed)
    assert "mainland.pc" not in printed
    assert list(tmp_path.iterdir()) == []


def test_changed_parameters_come_with_unit_and_source() -> None:
    base, change = whatif.ask("festival_2012", ["more_trucks", "snow_northeast"]).sides[:2]
    found = {one.path: one for one in changed(base.config, change.config, ["more_trucks"])}
    assert set(found) == {f"parcels.carriers.{name}.own_trucks" for name in base.config["parcels"]["carriers"]}
    trucks = found["parcels.carriers.STO.own_trucks"]
    assert (trucks.base, trucks.change, trucks.unit) == (str(own_trucks(base)), str(own_trucks(change)), "trucks")
    assert "of the 4 000" in trucks.source
    assert not trucks.assumed
    snow = {one.path: one for one in changed(base.config, runner.composed("snow_northeast"), ["snow_northeast"])}
    assert snow["weather.fronts.0.peak_mm_per_h"].source == "assumed: a blizzard"
    assert snow["weather.fronts.0.peak_mm_per_h"].assumed
    assert changed(base.config, base.config) == []
