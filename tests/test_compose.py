"""compose(): names, groups and overrides become one plain dict, or messages that a planner understands; never code."""

import pytest

from sim import compose as module
from sim.compose import compose, groups
from sim.params import ParameterError

FILES = {
    "festival.yaml": """
defaults: [_self_, {site: big}, {hub: plain}, {experiment: day}]
scale: 0.001
seed: 1
horizon_s: ${site.horizon_s}
""",
    "site/big.yaml": """
horizon_s: 60
services: {search: {servers: 3}, item: {servers: 5}}
names: [a, b]
places: {Inner Mongolia: 1}
""",
    "site/small.yaml": "horizon_s: 30\nservices: {search: {servers: 1}}\nnames: [a]\n",
    "site/off.yaml": "# @package _global_\nsite: null\nhorizon_s: 0\n",
    "hub/plain.yaml": "wave_s: 900\n",
    "hub/nested/deep.yaml": "depth: 1\n",
    "experiment/day.yaml": "# @package _global_\nseed: 7\n",
    "experiment/night.yaml": "# @package _global_\ndefaults: [{override /site: small}]\nhub: {wave_s: 1}\n",
    "experiment/trap.yaml": "# @package _global_\nhub: {wave_s: {_target_: os.getcwd}}\n",
    "experiment/spy.yaml": "# @package _global_\nhub: {wave_s: '${oc.env:HOME}'}\n",
}


@pytest.fixture(autouse=True)
def configs(tmp_path, monkeypatch):
    """A small config package of our own in place of the real one."""
    for name, text in FILES.items():
        file = tmp_path / "tiny_configs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "tiny_configs" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(module, "CONFIG_MODULE", "tiny_configs")


def problems_of(name: str, *overrides: str) -> list[str]:
    with pytest.raises(ParameterError) as raised:
        compose(name, overrides)
    return raised.value.problems


def test_an_experiment_is_a_plain_dict_with_references_resolved():
    config = compose("day")
    assert config == {
        "scale": 0.001,
        "seed": 7,
        "horizon_s": 60,
        "site": {
            "horizon_s": 60,
            "services": {"search": {"servers": 3}, "item": {"servers": 5}},
            "names": ["a", "b"],
            "places": {"Inner Mongolia": 1},
        },
        "hub": {"wave_s": 900},
    }
    assert type(config["site"]["services"]) is dict
    assert type(config["site"]["names"]) is list


def test_overrides_change_values_groups_and_whole_parts():
    assert compose("day", ["site=small"])["site"]["horizon_s"] == 30
    assert compose("day", ["site=off"])["site"] is None
    assert compose("night")["site"]["services"] == {"search": {"servers": 1}}
    assert compose("night", ["site=big", "hub.wave_s=2"])["hub"] == {"wave_s": 2}
    assert compose("day", ["site.services.search.servers=9"])["site"]["services"]["search"] == {"servers": 9}
    assert compose("day", ["+site.services.cart={servers: 2}"])["site"]["services"]["cart"] == {"servers": 2}
    assert "item" not in compose("day", ["~site.services.item"])["site"]["services"]
    assert compose("day", ["site.names=[x]"])["site"]["names"] == ["x"]
    assert compose("day", ["site.places={Inner Mongolia: 9}"])["site"]["places"] == {"Inner Mongolia": 9}


def test_two_compositions_do_not_know_of_each_other():
    compose("day", ["site=small", "seed=99"])
    assert compose("day")["seed"] == 7


def test_groups_lists_every_group_with_its_options():
    assert groups() == {
        "experiment": ["day", "night", "spy", "trap"],
        "hub": ["plain"],
        "hub/nested": ["deep"],
        "site": ["big", "off", "small"],
    }


def test_an_unknown_experiment_is_told_with_the_known_ones():
    assert problems_of("dya") == [
        "experiment=dya is not an option of experiment; did you mean day? (known: day, night, spy, trap)"
    ]


def test_an_unknown_option_of_a_group_is_told_with_the_known_ones():
    assert problems_of("day", "site=bigg") == [
        "site=bigg is not an option of site; did you mean big? (known: big, off, small)"
    ]


def test_an_unknown_group_or_key_is_told_with_the_closest_known_one():
    assert problems_of("day", "sit=small") == [
        "sit is not a parameter; did you mean site? (known: scale, seed, horizon_s, site, hub)"
    ]
    assert problems_of("day", "site.services.serach.servers=2") == [
        "site.services.serach is not a parameter; did you mean search? (known: search, item)"
    ]
    assert problems_of("day", "~site.services.cart") == ["site.services.cart is not a parameter (known: search, item)"]


def test_an_unknown_name_in_braces_is_told_too():
    assert problems_of("day", "site={places: {Inner Mongolai: 3}, name: x}") == [
        "site.places.Inner Mongolai is not a parameter; did you mean Inner Mongolia? (known: Inner Mongolia)",
        "site.name is not a parameter; did you mean names? (known: horizon_s, services, names, places)",
    ]


def test_a_value_has_no_parts():
    assert problems_of("day", "hub.wave_s.mean=3") == [
        "hub.wave_s.mean cannot be set: hub.wave_s is a single value (900)"
    ]


def test_a_place_in_a_list_is_its_number():
    assert compose("day", ["site.names.1=x"])["site"]["names"] == ["a", "x"]
    assert problems_of("day", "site.names.2=x") == ["site.names is a list with the places 0 to 1, got '2'"]


def test_a_part_that_is_off_has_no_parameters():
    assert problems_of("day", "site=off", "site.horizon_s=9") == [
        "site.horizon_s cannot be set: site is switched off (null)"
    ]


def test_all_problems_are_told_at_once():
    assert len(problems_of("dya", "site=bigg", "scale", "hydra.verbose=true", "seed=1,2")) == 5
    assert len(problems_of("day", "sit=1", "hub.wave=2")) == 2


@pytest.mark.parametrize("text", ["scale", "=3", "scale==", "scale=[1", "scale={a:", "a b=c"])
def test_what_is_no_override_is_told(text):
    (problem,) = problems_of("day", text)
    assert repr(text) in problem
    assert "key=value" in problem


def test_one_run_takes_one_value():
    assert problems_of("day", "seed=1,2") == ["seed=1,2 lists several values; one run takes one value"]
    assert problems_of("day", "site=big,small") == ["site=big,small lists several values; one run takes one value"]


@pytest.mark.parametrize(
    "text",
    [
        "hydra.searchpath=[file:///]",
        "+hydra.callbacks.x={a: 1}",
        "hydra/launcher=basic",
        "hydra=other",
        "++hydra.job.name=x",
        "hub.wave_s={_target_: os.getcwd}",
        "+hub.x._target_=os.getcwd",
        "hub.wave_s=${oc.env:HOME}",
        "hub.wave_s='${oc.env:HOME}'",
        "site=${oc.env:HOME}",
        "hub.wave_s=${hydra:runtime.cwd}",
        "hub.wave_s=${oc.decode:${oc.env:HOME}}",
    ],
)
def test_an_override_may_not_name_code_nor_read_the_machine(text):
    (problem,) = problems_of("day", text)
    assert text in problem


def test_an_experiment_may_not_name_code_nor_read_the_machine():
    assert problems_of("trap") == ["hub.wave_s._target_ names code; a config may only hold values, got 'os.getcwd'"]
    (problem,) = problems_of("spy")
    assert problem.startswith("hub.wave_s uses a resolver")


def test_the_experiment_is_named_once():
    assert problems_of("day", "experiment=night") == [
        "experiment=night chooses the experiment a second time; name it once"
    ]


def test_a_reference_to_nothing_is_told():
    (problem,) = problems_of("day", "hub.wave_s=${site.horizon}")
    assert "horizon" in problem
