"""Who may import whom: the contracts of pyproject.toml hold, and they notice when they are broken."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINT = Path(sys.executable).parent / "lint-imports"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """The verdict of import-linter on the packages in a folder."""
    command = [str(LINT), "--no-cache", "--config", str(folder / "pyproject.toml")]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False
    )


@pytest.fixture
def copy(tmp_path):
    """The packages and their contracts, free to be broken."""
    for package in ("sim", "experiments", "configs"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_import_keeps_the_contracts():
    verdict = lint(ROOT)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.mark.parametrize(
    ("module", "planted", "contract"),
    [
        ("sim/demand/__init__.py", "import sim.site", "Layers"),
        ("sim/units.py", "import sim.records", "Layers"),
        ("sim/kernels/random.py", "import simpy", "Kernels know arrays only"),
        ("sim/metrics/kpis.py", "import sim.geography", "Metrics, plots and report"),
        ("sim/runner.py", "import omegaconf", "Only sim.compose knows Hydra"),
        ("sim/theory.py", "import sim.kernels.random", "Closed forms"),
    ],
)
def test_an_import_that_breaks_a_contract_is_noticed(copy, module, planted, contract):
    file = copy / module
    file.write_text(f"{file.read_text(encoding='utf-8')}\n{planted}\n", encoding="utf-8")
    verdict = lint(copy)
    assert verdict.returncode == 1, verdict.stdout + verdict.stderr
    broken = [line for line in verdict.stdout.splitlines() if " BROKEN" in line]
    assert len(broken) == 1
    assert broken[0].startswith(contract)
