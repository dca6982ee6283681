"""From an experiment's name and overrides to one plain dict; the only module that knows Hydra.

    configs/festival.yaml + one option per group + experiment/NAME.yaml + overrides  ->  dict

Configs name values, never code: `_target_`, settings of Hydra itself and resolvers such as `${oc.env:HOME}` are
refused. What comes back is not checked against the parameters yet; `sim.params.build` does that.
"""

import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, NamedTuple

from sim.params.base import ParameterError, hint

CONFIG_MODULE = "configs"
PRIMARY = "festival"
EXPERIMENT = "experiment"
NO_GROUPS = ("capacity",)  # plan files of `peakday capacity`: no part of a run
_RESOLVER = re.compile(r"\$\{[^}]*:")


def groups() -> dict[str, list[str]]:
    """Options of every config group, by name of the group: {"site": ["off", "tmall_2012"], ...}."""
    return dict(sorted(_groups(files(CONFIG_MODULE), "")))


def config_text(name: str) -> str:
    """Text of a packaged config file, comments included; `name` without suffix: "festival", "site/tmall_2012"."""
    return (files(CONFIG_MODULE) / f"{name}.yaml").read_text(encoding="utf-8")


class OverrideError(ParameterError):
    """Overrides that cannot be applied; `rest` is the config with all others, so that nothing else need go untold."""

    def __init__(self, problems: Sequence[str], rest: dict[str, Any]) -> None:
        super().__init__(problems)
        self.rest = rest


def compose(name: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The whole config of an experiment as a plain dict.

    Parameters
    ----------
    name : file name in configs/experiment, without suffix; several with + between them, each on top of those before
    overrides : in Hydra's grammar: `seed=2`, `site=off`, `+site.services.search.note=x`, `~site.services.search`

    Raises
    ------
    ParameterError
        For an unknown experiment, option or key, for an override that cannot be read, and for anything that names code;
        with every problem that can be seen at once. It is an `OverrideError` when the others make a config.
    """
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    known = groups()
    parsed, problems = _parsed(overrides)
    names = name.split("+")
    unknown = [problem for one in names for problem in _unknown_option(EXPERIMENT, one, known)]
    parsed = _sound(parsed, lambda override: _refusals(override, known), problems)
    if unknown:
        raise ParameterError([*unknown, *problems])
    choices = [override for override in parsed if _is_choice(override, known)]
    values = [override for override in parsed if not _is_choice(override, known)]
    chosen = [f"{EXPERIMENT}=[{','.join(names)}]", *(override.input_line for override in choices)]
    try:
        config = _composed(chosen)
        if values:
            before = _plain(config)
            values = _sound(values, lambda override: _unknown_key(override, before), problems)
            config = _composed([*chosen, *(override.input_line for override in values)])
        plain = dict(_plain(config, resolve=True))
    except (HydraException, OmegaConfBaseException) as error:
        raise ParameterError([*problems, f"the config cannot be composed: {_one_line(error)}"]) from None
    if problems:
        raise OverrideError(problems, plain)
    return plain


class Axis(NamedTuple):
    """A parameter or group that takes several values: its name, and an override for each value."""

    name: str
    overrides: tuple[str, ...]


def axes(overrides: Sequence[str]) -> tuple[list[str], list[Axis]]:
    """Overrides of one value, and those that list several as axes: `seed=2`, `site=off,tmall_2012`, `scale=range(1,4)`.

    Raises
    ------
    ParameterError
        With a message for each that cannot be read or lists nothing that can be listed.
    """
    from hydra.errors import HydraException

    parsed, problems = _parsed(overrides)
    single, several = [], []
    for override in parsed:
        if not override.is_sweep_override():
            single.append(override.input_line)
            continue
        try:
            values = tuple(override.sweep_string_iterator())
        except HydraException:  # a glob() of names, an interval()
            problems.append(f"{override.input_line} cannot be listed: write the values, a=1,2,3 or a=range(1,4)")
            continue
        key = override.get_key_element()
        several.append(Axis(override.key_or_group, tuple(f"{key}={value}" for value in values)))
    if problems:
        raise ParameterError(problems)
    return single, several


def compose_points(
    name: str, overrides: Sequence[str], points: Sequence[Sequence[str]], base: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """What `compose(name, [*overrides, *point])` gives for each point, at little more than the price of one.

    Groups and references are composed; plain values are set in copies of what the other points have composed already.
    A point may also choose the experiment: `experiment=festival_2013`. `base` is what `compose(name, overrides)` gave, if it has
    been asked.

    Raises
    ------
    ParameterError
        With every problem of all points, each once.
    """
    composer = _Composer(name, overrides, base)
    found: list[dict[str, Any]] = []
    problems: dict[str, None] = {}
    for point in points:
        try:
            found.append(composer.compose(point))
        except ParameterError as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise ParameterError(problems)
    return found


class _Composer:
    """Configs by the choices that made them, and overrides by their text: each is worked out once."""

    def __init__(self, name: str, overrides: Sequence[str], base: dict[str, Any] | None) -> None:
        self._name, self._overrides = name, list(overrides)
        self._known = groups()
        self._parsed: dict[str, tuple[list[Any], list[str]]] = {}
        self._composed: dict[tuple[str, ...], dict[str, Any] | ParameterError] = {} if base is None else {(): base}
        options = (config_text(f"{group}/{option}") for group, names in self._known.items() for option in names)
        self._has_references = any("${" in text for text in (config_text(PRIMARY), *options, *overrides))

    def compose(self, point: Sequence[str]) -> dict[str, Any]:
        for text in point:
            if text not in self._parsed:
                self._parsed[text] = _parsed([text])
        problems = [problem for text in point for problem in self._parsed[text][1]]
        values: list[Any] = []
        choices: list[Any] = []
        for text in point:
            for override in self._parsed[text][0]:
                (values if self._is_plain(override) else choices).append(override)
        config = self._base(tuple(override.input_line for override in choices))
        values = _sound(values, lambda override: _refusals(override, self._known), problems)
        values = _sound(values, lambda override: _unknown_key(override, config), problems)
        if problems:
            raise ParameterError(problems)
        config = copy.deepcopy(config)
        for override in values:
            _set(config, override)
        return config

    def _is_plain(self, override: Any) -> bool:
        """Whether an override sets one value that nothing else can depend on."""
        if self._has_references or "${" in override.input_line or override.input_line[0] in "+~":
            return False
        if override.is_sweep_override():
            return True  # refused later
        return not isinstance(override.value(), dict) and override.key_or_group not in {*self._known, EXPERIMENT}

    def _base(self, choices: tuple[str, ...]) -> dict[str, Any]:
        """The config that the choices of a point make with what all points have in common."""
        if choices not in self._composed:
            first = f"{EXPERIMENT}="
            experiments = [text.removeprefix(first) for text in choices if text.startswith(first)]
            others = [text for text in choices if not text.startswith(first)]
            try:
                self._composed[choices] = compose([*experiments, self._name][0], [*self._overrides, *others])
            except ParameterError as error:
                self._composed[choices] = error
        found = self._composed[choices]
        if isinstance(found, ParameterError):
            raise found
        return found


def _set(config: Any, override: Any) -> None:
    """Set the value of an override in a plain config that has a place for it."""
    *steps, last = override.key_or_group.split(".")
    for step in steps:
        config = config[int(step)] if isinstance(config, list) else config.setdefault(_key(config, step), {})
    config[int(last) if isinstance(config, list) else _key(config, last)] = copy.deepcopy(override.value())


def _key(node: Mapping[Any, Any], step: str) -> Any:
    """The key of a node that is written like this; the text itself when it is new."""
    return next((key for key in node if str(key) == step), step)


def _sound(overrides: Sequence[Any], objections: Callable[[Any], list[str]], problems: list[str]) -> list[Any]:
    """The overrides that nothing is said against; what is said against the others goes to `problems`."""
    sound = []
    for override in overrides:
        if told := objections(override):
            problems += told
        else:
            sound.append(override)
    return sound


def _groups(folder: Traversable, prefix: str) -> Iterator[tuple[str, list[str]]]:
    for child in folder.iterdir():
        if child.is_dir() and child.name not in NO_GROUPS and not child.name.startswith(("_", ".")):
            group = f"{prefix}{child.name}"
            options = sorted(file.name.removesuffix(".yaml") for file in child.iterdir() if file.name.endswith(".yaml"))
            if options:
                yield group, options
            yield from _groups(child, f"{group}/")


def _composed(overrides: list[str]) -> Any:
    import hydra

    # Hydra 1.3 warns when the version base is missing, 1.4 when it is given.
    arguments = {"version_base": "1.3"} if hydra.__version__.startswith("1.3") else {}
    with hydra.initialize_config_module(CONFIG_MODULE, job_name="peakday", **arguments):
        config = hydra.compose(PRIMARY, overrides=overrides)
    if problems := list(_code(_plain(config), "")):
        raise ParameterError(problems)
    return config


def _plain(config: Any, *, resolve: bool = False) -> Any:
    from omegaconf import OmegaConf

    return OmegaConf.to_container(config, resolve=resolve)


def _code(value: Any, path: str) -> Iterator[str]:
    """A message for whatever could run code or read the machine."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            dotted = _dotted(path, str(key))
            if key == "_target_":
                yield f"{dotted} names code; a config may only hold values, got {item!r}"
            else:
                yield from _code(item, dotted)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _code(item, f"{path}.{position}")
    elif isinstance(value, str) and _RESOLVER.search(value):
        yield f"{path} uses a resolver; only plain references such as ${{seed}} are allowed, got {value!r}"


def _parsed(overrides: Sequence[str]) -> tuple[list[Any], list[str]]:
    """Overrides as Hydra reads them, and a message for each that cannot be read."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    parser = OverridesParser.create()
    parsed, problems = [], []
    for text in overrides:
        try:
            override = parser.parse_override(text)
        except HydraException as error:
            problems.append(_unreadable(text, error))
        else:
            if override.key_or_group:
                parsed.append(override)
            else:
                problems.append(_unreadable(text, "the key is missing"))
    return parsed, problems


def _is_choice(override: Any, known: Mapping[str, list[str]]) -> bool:
    """Whether an override chooses an option of a group, and does not set a value."""
    return override.key_or_group in known and not isinstance(override.value(), (dict, list))


def _refusals(override: Any, known: Mapping[str, list[str]]) -> list[str]:
    """What can be said against an override before anything is composed."""
    text, key = override.input_line, override.key_or_group
    if re.match(r"hydra([./@:]|$)", key):
        return [f"{text} changes Hydra itself; only parameters of the simulation can be set"]
    if "_target_" in text:
        return [f"{text} names code (_target_); an override may only hold values"]
    if _RESOLVER.search(text):
        return [f"{text} uses a resolver; only plain references such as ${{seed}} are allowed"]
    if key == EXPERIMENT:
        return [f"{text} chooses the experiment a second time; name it once"]
    if override.is_sweep_override():
        return [f"{text} lists several values; one run takes one value"]
    if _is_choice(override, known) and not override.is_delete():
        return _unknown_option(key, "null" if override.value() is None else str(override.value()), known)
    return []


def _unknown_option(group: str, option: str, known: Mapping[str, list[str]]) -> list[str]:
    options = known.get(group, [])
    return [] if option in options else [f"{group}={option} is not an option of {group}{hint(option, options)}"]


def _unknown_key(override: Any, config: Mapping[str, Any]) -> list[str]:
    """A message when an override (without a leading +) sets a key that the config does not have."""
    if override.is_add() or override.is_force_add():
        return []
    node: Any = config
    path = ""
    for step in override.key_or_group.split("."):
        if problem := _misstep(node, path, step):
            return [problem]
        node = node[int(step)] if isinstance(node, list) else _item(node, step)
        path = _dotted(path, step)
    return _unknown_names(override.value(), node, path)


def _misstep(node: Any, path: str, step: str) -> str | None:
    """Why there is nothing called `step` in the node at a path; None when there is."""
    if isinstance(node, Mapping):
        names = [str(name) for name in node]
        return None if step in names else f"{_dotted(path, step)} is not a parameter{hint(step, names)}"
    if isinstance(node, list):
        places = [str(place) for place in range(len(node))]
        return None if step in places else f"{path} is a list with the places 0 to {len(node) - 1}, got {step!r}"
    if node is None:
        return f"{_dotted(path, step)} cannot be set: {path} is switched off (null)"
    return f"{_dotted(path, step)} cannot be set: {path} is a single value ({node!r})"


def _unknown_names(value: Any, node: Any, path: str) -> list[str]:
    """A message for every name in a value in braces that the config does not have at that place."""
    if not (isinstance(value, Mapping) and isinstance(node, Mapping)):
        return []
    known = [str(name) for name in node]
    problems = []
    for name in map(str, value):
        if name not in known:
            problems.append(f"{path}.{name} is not a parameter{hint(name, known)}")
        else:
            problems += _unknown_names(_item(value, name), _item(node, name), f"{path}.{name}")
    return problems


def _dotted(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _item(node: Mapping[Any, Any], step: str) -> Any:
    return next(value for key, value in node.items() if str(key) == step)


def _unreadable(text: str, reason: object) -> str:
    if "=" not in text:
        return f"{text!r} is not an override: write key=value, for example scale=0.001"
    return (
        f"{text!r} cannot be read as key=value ({_one_line(reason)}); a name with spaces goes into braces: a={{b c: 1}}"
    )


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
