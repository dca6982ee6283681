"""The packaged configs: every number with unit and source, every option composes and builds."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import configs
from sim.compose import EXPERIMENT, compose, groups
from sim.params import build
from sim.params.festival import FestivalParams
from sim.params.links import LinksParams

FOLDER = Path(configs.__path__[0])
FILES = sorted(FOLDER.rglob("*.yaml"))
UNIT_AND_SOURCE = re.compile(r"\s#\s[^;#]*\S; \S")
NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
OPTIONS = [(group, option) for group, options in groups().items() if group != EXPERIMENT for option in options]


def numbers(text: str) -> Iterator[tuple[int, str]]:
    """Line number and rest of the line of every number in a YAML text."""
    lines = text.splitlines()
    waiting = [yaml.compose(text)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.MappingNode):
            waiting += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif node is not None and node.tag in NUMBERS:
            line = node.end_mark.line
            yield line + 1, lines[line][node.end_mark.column :]


def unexplained(text: str) -> list[int]:
    """Lines with a number that carries no `# unit; source`."""
    return sorted({line for line, rest in numbers(text) if not UNIT_AND_SOURCE.search(rest)})


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(FOLDER)))
def test_every_number_carries_its_unit_and_its_source(file):
    lines = unexplained(file.read_text(encoding="utf-8"))
    assert lines == [], f"{file.name}: lines {lines} need a comment '# unit; source' or '# unit; assumed: why'"


def test_a_number_without_unit_or_source_is_noticed():
    text = """
a: 1  # s; measured
b: 2
c: 3  # s
d: {e: 4, f: 5}  # s; assumed
g: [6,
  7]  # s; assumed: why not
h: "8 # s; no number"
i: "9"
j: 1e3
"""
    assert unexplained(text) == [3, 4, 6]
    assert unexplained(text.replace("1e3", "1.0e+3")) == [3, 4, 6, 10]


def test_the_configs_are_there():
    names = {str(file.relative_to(FOLDER)) for file in FILES}
    assert {"festival.yaml", "experiment/festival_2012.yaml", "site/off.yaml", "parcels/off.yaml"} <= names


@pytest.mark.parametrize("experiment", groups()[EXPERIMENT])
def test_every_experiment_composes_and_builds(experiment):
    build_all(compose(experiment))


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_of_every_group_composes_and_builds(group, option):
    config = compose("festival_2012", [f"{group}={option}"])
    params = build_all(config)
    assert (getattr(params, group) is None) == (option == "off")


def build_all(config: dict[str, object]) -> FestivalParams:
    return build(FestivalParams, {name: value for name, value in config.items() if name != "output"})


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(FOLDER)))
def test_no_config_names_code(file):
    assert "_target_" not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", sorted((FOLDER / EXPERIMENT).glob("*.yaml")), ids=lambda file: file.stem)
def test_the_first_comment_of_an_experiment_is_the_command_that_runs_it(file):
    lines = file.read_text(encoding="utf-8").splitlines()
    first = next(line for line in lines if line.startswith("#") and "@package" not in line)
    assert "peakday run" in first
    assert f"experiment={file.stem}" in first or file.stem == "festival_2012"


def links_of(experiment: str) -> LinksParams:
    site = build_all(compose(experiment)).site
    assert site is not None
    assert site.links is not None
    return site.links


def test_the_bandwidth_of_2013_is_twice_ten_and_twenty_five_times_that_of_2012():
    before, after = (links_of(experiment) for experiment in ("festival_2012", "bandwidth_2013"))
    for region in before.gbit_per_s:
        wider = {
            channel: after.bandwidth_bit_per_s(region, channel) / before.bandwidth_bit_per_s(region, channel)
            for channel in ("pc", "wireless")
        }
        assert wider == pytest.approx({"pc": 2 if region == "mainland" else 10, "wireless": 25})


def test_what_an_experiment_sets_is_not_undone_by_the_primary_config():
    defaults = yaml.safe_load((FOLDER / "festival.yaml").read_text(encoding="utf-8"))["defaults"]
    names = [entry if isinstance(entry, str) else next(iter(entry)) for entry in defaults]
    assert names.index("_self_") < names.index(EXPERIMENT), "move _self_ to the front: the later entry wins"
    assert names[-1] == EXPERIMENT
