"""Branches of a running part: the process forks, the child goes on its own way and says what came of it.

A child has all memory of its parent as it was, so that many ways may begin at one instant, none knows of another, and each is the
run that would have gone that way from the start.
"""

import io
import os
import traceback
from collections.abc import Callable, Mapping

import numpy as np

Arrays = Mapping[str, np.ndarray]


class BranchError(Exception):
    """A branch died before it had said what came of it."""


def branched(act: Callable[[], Arrays]) -> dict[str, np.ndarray]:
    """What `act` returns in a process of its own; nothing of this one changes.

    Raises
    ------
    BranchError
        When the process died.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(read)
            told = io.BytesIO()
            np.savez(told, allow_pickle=False, **act())
            with os.fdopen(write, "wb") as stream:
                stream.write(told.getvalue())
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        told = io.BytesIO(stream.read())
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise BranchError(f"a branch ended with status {os.waitstatus_to_exitcode(status)}")
    with np.load(told, allow_pickle=False) as arrays:
        return dict(arrays)
