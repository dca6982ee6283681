"""The command `peakday`: its first word is the question, the rest are the question's own arguments.

A question is a module of this folder with `HELP` (one line) and `main(arguments) -> exit status`; adding the file
registers it. Errors of the user end here: all messages on stderr, no traceback.
"""

import os
import pkgutil
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import experiments
from sim.params.base import ParameterError, hint
from sim.store import DiskFullError, StoreError

ALSO = {"plan": "capacity"}
"""Other words for questions."""

OK, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

_USAGE = """peakday QUESTION [OVERRIDES]

A festival day, from the midnight crowd to the last signed parcel.

Questions
{questions}

peakday QUESTION --help explains a question.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer a question; the exit status is 0, 1 (failed), 2 (bad input) or 130 (interrupted)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:  # the command itself, so its signals are ours: a polite kill tidies up as Ctrl-C does
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _answer(words)
    except ParameterError as error:
        return _complain(error.problems, BAD_INPUT)
    except DiskFullError as error:
        return _complain([str(error)], FAILED)
    except StoreError as error:
        return _complain([str(error)], BAD_INPUT)
    except MemoryError:
        return _complain(["there is not enough memory; choose a smaller scale"], FAILED)
    except KeyboardInterrupt:
        return _complain(["interrupted; nothing half-finished is left"], INTERRUPTED)
    except BrokenPipeError:  # whoever reads our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK


def questions() -> dict[str, ModuleType]:
    """The modules that answer questions, by name."""
    names = [module.name for module in pkgutil.iter_modules(experiments.__path__) if not module.name.startswith("_")]
    return {name: module for name in names if (module := _question(name)) is not None}


def _question(name: str) -> ModuleType | None:
    """The module of that name, if it answers a question."""
    if not name.isidentifier() or find_spec(f"experiments.{name}") is None:
        return None
    module = import_module(f"experiments.{name}")
    return module if hasattr(module, "HELP") and hasattr(module, "main") else None


def _answer(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help"):
        listed = (f"  {name:<10}{module.HELP}" for name, module in questions().items())
        print(_USAGE.format(questions="\n".join(listed)), end="")
        return OK
    name, rest = ALSO.get(words[0], words[0]), words[1:]
    question = _question(name)
    if question is None:
        return _complain([f"{name!r} is not a question{hint(name, list(questions()))}"], BAD_INPUT)
    return int(question.main(rest))


def _complain(problems: Sequence[str], status: int) -> int:
    for problem in problems:
        print(f"peakday: {problem}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
