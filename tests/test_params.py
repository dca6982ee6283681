"""build(): every problem at once, each with its dotted path, rule, unit and value."""

from typing import Annotated, Literal

import pydantic
import pytest
from pydantic import Field

from sim.params import ParameterError, Params, build
from sim.params.base import RuleError


class FixedParams(Params):
    kind: Literal["fixed"]
    machines: int = Field(ge=1)


class ReactiveParams(Params):
    kind: Literal["reactive"]
    boot_s: float = Field(gt=0)


class HubParams(Params):
    wave_s: float = Field(gt=0)
    storage_parcels: float = Field(ge=0)
    open_share: float = Field(default=1.0, ge=0, le=1)

    @pydantic.model_validator(mode="after")
    def _stores_something(self) -> "HubParams":
        if self.storage_parcels == 13:
            raise ValueError("must not store 13 parcels")
        if self.storage_parcels == 14:
            raise RuleError(["wave_s is too short", "open_share is too small"])
        return self


class CarrierParams(Params):
    hubs: dict[str, HubParams]
    cities: Annotated[tuple[str, ...], Field(min_length=2)]
    lanes: Literal["complete"] | tuple[tuple[str, str], ...] = "complete"
    cloud: Annotated[FixedParams | ReactiveParams, Field(discriminator="kind")] | None = None


class WorldParams(Params):
    seed: int
    carriers: dict[str, CarrierParams]


def world(**changes: object) -> dict[str, object]:
    """Values that build, with the hub of carrier "a" changed."""
    hub = {"wave_s": 900, "storage_parcels": 2e5} | changes
    return {"seed": 1, "carriers": {"a": {"hubs": {"Zhengzhou": hub}, "cities": ["Zhengzhou", "Wuhan"]}}}


def problems_of(values: dict[str, object], path: str = "") -> list[str]:
    with pytest.raises(ParameterError) as raised:
        build(WorldParams, values, path)
    return raised.value.problems


def test_good_values_become_frozen_parameters_with_tuples_for_lists():
    params = build(WorldParams, world())
    assert params.carriers["a"].cities == ("Zhengzhou", "Wuhan")
    assert params.carriers["a"].hubs["Zhengzhou"].wave_s == 900.0
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        params.seed = 2


def test_a_value_out_of_range_is_told_with_path_rule_unit_and_value():
    assert problems_of(world(wave_s=-5)) == ["carriers.a.hubs.Zhengzhou.wave_s must be > 0 [s], got -5"]
    assert problems_of(world(open_share=1.5)) == ["carriers.a.hubs.Zhengzhou.open_share must be <= 1 [share], got 1.5"]


def test_the_path_of_the_group_stands_before_each_message():
    assert problems_of(world(wave_s=0), path="parcels")[0].startswith("parcels.carriers.a.hubs.Zhengzhou.wave_s must")


def test_an_unknown_name_is_told_with_the_closest_known_one():
    assert problems_of(world(waves_s=1)) == [
        "carriers.a.hubs.Zhengzhou.waves_s is not a parameter; did you mean wave_s? "
        "(known: open_share, storage_parcels, wave_s)"
    ]


def test_an_unknown_name_like_no_other_lists_the_known_ones_only():
    assert problems_of(world(xyz=1)) == [
        "carriers.a.hubs.Zhengzhou.xyz is not a parameter (known: open_share, storage_parcels, wave_s)"
    ]


def test_an_unknown_name_at_the_top_lists_the_names_of_the_top():
    assert problems_of(world() | {"sed": 3}) == ["sed is not a parameter; did you mean seed? (known: carriers, seed)"]


def test_a_missing_value_is_told_with_its_unit():
    values = world()
    del values["carriers"]["a"]["hubs"]["Zhengzhou"]["wave_s"]  # type: ignore[index]
    assert problems_of(values) == ["carriers.a.hubs.Zhengzhou.wave_s is missing [s]"]


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ("900", "a number"),
        (True, "a number"),
        (None, "a number"),
        ([900], "a number"),
        (float("nan"), "a finite number"),
    ],
)
def test_a_value_of_another_type_is_never_converted(wrong, rule):
    (problem,) = problems_of(world(wave_s=wrong))
    assert problem.startswith(f"carriers.a.hubs.Zhengzhou.wave_s must be {rule} [s], got ")


def test_a_fraction_is_not_a_count():
    assert problems_of(world() | {"seed": 1.5}) == ["seed must be an integer, got 1.5"]


def test_all_problems_are_told_at_once():
    values = world(wave_s=-5, storage_parcels="many", colour="red") | {"seed": "x"}
    assert [problem.split()[0] for problem in problems_of(values)] == [
        "seed",
        "carriers.a.hubs.Zhengzhou.wave_s",
        "carriers.a.hubs.Zhengzhou.storage_parcels",
        "carriers.a.hubs.Zhengzhou.colour",
    ]


def test_a_rule_over_several_values_names_their_group():
    assert problems_of(world(storage_parcels=13)) == ["carriers.a.hubs.Zhengzhou must not store 13 parcels"]


def test_several_broken_rules_of_one_group_are_told_one_by_one():
    hub = "carriers.a.hubs.Zhengzhou"
    assert problems_of(world(storage_parcels=14)) == [f"{hub}.wave_s is too short", f"{hub}.open_share is too small"]
    with pytest.raises(ParameterError) as raised:
        build(HubParams, {"wave_s": 1, "storage_parcels": 14})
    assert raised.value.problems == ["wave_s is too short", "open_share is too small"]


def test_the_kind_of_a_part_chooses_its_parameters_and_does_not_show_in_the_path():
    values = world()
    values["carriers"]["a"]["cloud"] = {"kind": "reactive", "boot_s": 0}  # type: ignore[index]
    assert problems_of(values) == ["carriers.a.cloud.boot_s must be > 0 [s], got 0"]
    values["carriers"]["a"]["cloud"] = {"kind": "reactive", "boots": 5}  # type: ignore[index]
    assert "carriers.a.cloud.boot_s is missing [s]" in problems_of(values)


def test_an_unknown_kind_is_told_with_the_known_ones():
    values = world()
    values["carriers"]["a"]["cloud"] = {"kind": "magic"}  # type: ignore[index]
    (problem,) = problems_of(values)
    assert problem.startswith("carriers.a.cloud")
    assert "'fixed'" in problem
    assert "'reactive'" in problem


@pytest.mark.parametrize(
    ("name", "wrong", "problem"),
    [
        ("cities", "Wuhan", "cities must be a list, got 'Wuhan'"),
        ("cities", ["Wuhan"], "cities must have at least 2 items, got 1"),
        ("cities", ["Wuhan", 8], "cities.1 must be a string, got 8"),
        ("lanes", "some", "lanes must be 'complete' or a list, got 'some'"),
        ("lanes", [["Wuhan"]], "lanes.0.1 is missing"),
        ("hubs", None, "hubs must be a group of names and values, got null"),
        ("hubs", {"Wuhan": 5}, "hubs.Wuhan must be a group of names and values, got 5"),
    ],
)
def test_one_wrong_list_or_group_is_one_problem_in_the_words_of_a_config_file(name, wrong, problem):
    values = world()
    values["carriers"]["a"][name] = wrong  # type: ignore[index]
    assert problems_of(values) == [f"carriers.a.{problem}"]


def test_values_that_are_no_group_at_all_are_told():
    assert problems_of({"seed": 1, "carriers": 5}) == ["carriers must be a group of names and values, got 5"]
    with pytest.raises(ParameterError, match="config"):
        build(WorldParams, [])  # type: ignore[arg-type]
