"""Dotted paths with stars into a config: `site.services.*.queue` names the queue of every service."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def places(config: Any, steps: Sequence[str], before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places that a path names: keys of mappings and numbers of lists, from the outside in; a step * stands for all.

    Parameters
    ----------
    config : nested mappings and lists
    steps : of the path, parted at its dots
    before : keys that led to `config`
    """
    if not steps:
        yield before
        return
    keys = config.keys() if isinstance(config, Mapping) else range(len(config)) if isinstance(config, list) else ()
    for key in keys:
        if steps[0] in ("*", str(key)):
            yield from places(config[key], steps[1:], (*before, key))


def at(config: Any, place: tuple[Any, ...]) -> Any:
    """What stands at a place."""
    for key in place:
        config = config[key]
    return config
