"""The package outside its checkout: a wheel that carries configs, data and questions, and a lock without host names."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_the_lock_names_exact_versions_with_hashes_and_no_host():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"--(index|extra-index|find-links|trusted-host)", text)
    requirements = re.findall(r"^[A-Za-z](?:.*\\\n)*.*", text, flags=re.MULTILINE)
    assert len(requirements) > 30
    for requirement in requirements:
        assert re.match(r"[\w.-]+==[\w.]+[ ;\\]", requirement), requirement
        assert "--hash=sha256:" in requirement, requirement


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Interpreter of a fresh environment that holds the wheel; everything else is lent to it by this environment."""
    folder = tmp_path_factory.mktemp("outside")
    output(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    (wheel,) = folder.glob("peakday-*.whl")
    output(sys.executable, "-m", "venv", "--without-pip", str(folder / "venv"))
    python = folder / "venv" / "bin" / "python"
    output(sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel))
    packages = output(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    # Listed in a .pth file, a folder is searched last, and the .pth file of an editable checkout in it is not followed.
    (Path(packages) / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def output(*command: str, folder: Path | None = None) -> str:
    """What a command prints, which must succeed."""
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def peakday(python: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The installed command, run in a folder outside the checkout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(python.parent / "peakday"), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.long
def test_the_wheel_is_used_and_not_the_checkout(installed, tmp_path):
    code = "import sim, configs, experiments; print(sim.__file__, configs.__file__, experiments.__file__)"
    found = subprocess.run(
        [str(installed), "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    assert str(ROOT) not in found
    assert found.count("site-packages") == 3


@pytest.mark.long
def test_the_wheel_runs_a_festival_outside_the_checkout(installed, tmp_path):
    ended = peakday(installed, tmp_path, "run", "scale=0.0001")
    assert ended.returncode == 0, ended.stderr
    (report,) = tmp_path.glob("results/festival_2012/*/report.html")
    assert str(report.relative_to(tmp_path)) in ended.stdout


@pytest.mark.long
def test_the_wheel_carries_all_questions_and_configs(installed, tmp_path):
    assert "validate" in peakday(installed, tmp_path).stdout
    explained = peakday(installed, tmp_path, "run", "--help")
    assert explained.returncode == 0, explained.stderr
    assert "site=off" in explained.stdout
