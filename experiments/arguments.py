"""What the simulating questions have in common: overrides, --help, --cfg job, and what the parameters are."""

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sim.compose import EXPERIMENT, PRIMARY, config_text, groups
from sim.params.base import ParameterError
from sim.runner import DEFAULT_EXPERIMENT
from sim.store import as_yaml
from sim.units import unit_of

_NUMBER = re.compile(r"^(?P<line>\s*(?:- )?(?P<name>\w+): [-+]?[\d.]+(?:e[-+]?\d+)?)$")
_RUN_LEVEL = re.compile(r"^(?P<name>\w+): (?P<value>[^#\s][^#]*?)\s*(?:# (?P<note>.*))?$")


class Arguments(NamedTuple):
    """A command line taken apart: which experiment, what is changed in it, and whether only to explain or show it."""

    experiment: str
    overrides: list[str]
    show_help: bool
    show_config: bool


def split(question: str, words: Sequence[str]) -> Arguments:
    """Take a question's command line apart.

    Raises
    ------
    ParameterError
        When the experiment is named more than once.
    SystemExit
        With status 2, for an option that does not exist.
    """
    parser = argparse.ArgumentParser(prog=f"peakday {question}", usage=usage(question), add_help=False)
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("-c", "--cfg", choices=["job"])
    options = parser.parse_intermixed_args(words)
    chosen = [word.removeprefix(f"{EXPERIMENT}=") for word in options.overrides if word.startswith(f"{EXPERIMENT}=")]
    if len(chosen) > 1:
        raise ParameterError([f"{EXPERIMENT} must be named once, got {', '.join(chosen)}"])
    others = [word for word in options.overrides if not word.startswith(f"{EXPERIMENT}=")]
    return Arguments(chosen[0] if chosen else DEFAULT_EXPERIMENT, others, options.help, options.cfg is not None)


def usage(question: str) -> str:
    """First line of a question's help."""
    return f"peakday {question} [experiment=NAME] [GROUP=OPTION ...] [PARAMETER=VALUE ...] [--cfg job] [--help]"


def explanation() -> str:
    """The groups with their options and the parameters of a whole run, read from the packaged config files."""
    lines = ["Groups and their options (GROUP=OPTION)"]
    for group, options in groups().items():
        lines += [f"  {f'{group}={option}':<28}{_first_comment(f'{group}/{option}')}".rstrip() for option in options]
    lines += ["", "Parameters of a run (PARAMETER=VALUE)"]
    for line in config_text(PRIMARY).splitlines():
        if found := _RUN_LEVEL.match(line):
            note = (found["note"] or "").removeprefix("none; ").replace("assumed: ", "")
            lines.append(f"  {found['name'] + '=' + found['value']:<28}{note}".rstrip())
    lines += [
        "",
        "All others have dotted names, such as site.services.search.machines=900; --cfg job prints them with units.",
    ]
    return "\n".join(lines)


def with_units(config: Mapping[str, Any]) -> str:
    """A config as YAML, with the unit behind every number whose name tells it."""
    return "\n".join(_with_unit(line) for line in as_yaml(config).splitlines())


def _with_unit(line: str) -> str:
    found = _NUMBER.match(line)
    unit = unit_of(found["name"]) if found else None
    return f"{line}  # {unit}" if unit else line


def _first_comment(name: str) -> str:
    """First comment of a config file that is for people."""
    for line in config_text(name).splitlines():
        text = line.removeprefix("#").strip()
        if line.startswith("#") and text and not text.startswith(("@package", "peakday")):
            return text.partition(" Run: ")[0]
    return ""
