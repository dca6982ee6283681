"""Compiled inner loops: NumPy arrays in, outputs last, no clock, no config, no names, no files.

Numba's cache does not notice an edit to a jitted helper in another file, so its folder is keyed by a hash of all files here.

Kernels own no memory: they allocate nothing and return no array. Numba's counting of references to arrays is therefore switched
off for them; with the state of a whole cell in nested tuples it took ten times as long as the model itself.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba


def _cache_directory() -> Path:
    """A folder of our own that can be written: beside the user's other caches, else in the temporary folder."""
    digest = hashlib.blake2b(digest_size=8)
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    base = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    if base is None:
        try:
            base = str(Path.home() / ".cache")
        except RuntimeError:  # no home folder is known
            base = tempfile.gettempdir()
    for candidate in (Path(base), Path(tempfile.gettempdir())):
        directory = candidate / "peakday" / f"kernels-{digest.hexdigest()}"
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(directory, os.W_OK):
            return directory
    return Path(tempfile.mkdtemp(prefix="peakday-kernels-"))


numba.config.CACHE_DIR = str(_cache_directory())

F = TypeVar("F", bound=Callable[..., Any])


_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}


def kernel(function: F) -> F:
    """Compile a kernel: cached on disk, without the interpreter's lock, arithmetic as in plain Python."""
    return numba.njit(**_OPTIONS)(function)  # type: ignore[no-any-return]


def inlined(function: F) -> F:
    """Compile a helper that becomes part of its caller, so that passing it a large state costs nothing."""
    return numba.njit(**_OPTIONS, forceinline=True)(function)  # type: ignore[no-any-return]
