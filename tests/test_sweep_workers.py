"""Worker processes: one that is killed is replaced and its run begun again; everything killed, the sweep resumes."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from sim.params import ParameterError
from sim.sweeps import table
from sim.sweeps.cluster import check_address, check_installed
from sim.sweeps.engine import EngineError
from sim.sweeps.local import LocalWorkers
from sim.sweeps.records import Records
from sim.sweeps.run import Progress, Sweep
from sim.sweeps.work import Keep, run
from tests.sweep_case import QUICK, plan_of


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    """Whether a process runs: a dead one that nobody has asked after does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_a_killed_worker_is_replaced_and_its_run_is_begun_again(tmp_path):
    plan = plan_of("replications=2")
    killed: list[int] = []
    with LocalWorkers(2, Keep()) as engine:

        def kill_the_first(progress: Progress) -> None:
            busy = [worker.process.pid for worker in engine._workers if worker.task is not None]
            if busy and not killed:
                os.kill(busy[0], signal.SIGKILL)
                killed.append(busy[0])

        sweep = Sweep(plan, Records(tmp_path), Keep())
        sweep.run(engine, kill_the_first)
        after = engine.processes
    assert len(killed) == 1
    assert killed[0] not in after
    assert not any(is_alive(pid) for pid in after)
    assert [row.record.kpis for row in sweep.rows] == [run(row.task, Keep()).kpis for row in sweep.rows]


def test_a_run_whose_workers_all_die_is_recorded_as_failed_and_the_others_go_on(tmp_path):
    plan = plan_of()
    with LocalWorkers(1, Keep()) as engine:
        victim = plan.task(0, 0).key

        def kill_it(progress: Progress) -> None:
            for worker in engine._workers:
                if worker.task is not None and worker.task.key == victim:
                    os.kill(worker.process.pid, signal.SIGKILL)

        sweep = Sweep(plan, Records(tmp_path), Keep())
        sweep.run(engine, kill_it)
    first, second = (row.record for row in sweep.rows)
    assert first.status == "failed"
    assert (first.error or "").startswith("WorkerDied: 3 workers died in this run, the last by SIGKILL")
    assert second.status == "done"


def test_workers_that_do_not_start_end_the_sweep(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with (
        LocalWorkers(2, Keep()) as engine,
        pytest.raises(EngineError, match=r"end before they begin \(exit status 1\)"),
    ):
        Sweep(plan_of(), Records(tmp_path), Keep()).run(engine)


def sweep_command(output: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "experiments", "sweep", "-m", *words, f"output={output}"]


def killed_twice_and_resumed(output: Path, words: list[str], first: int, second: int) -> pd.DataFrame:
    """A sweep whose worker is killed after `first` runs and everything after `second`; its table once it is resumed."""
    process = subprocess.Popen(sweep_command(output, *words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    runs = output / "sweeps" / "runs"
    wait_for(lambda: len(list(runs.glob("*/*.json"))) >= first, process)
    os.kill(children(process.pid)[0], signal.SIGKILL)
    wait_for(lambda: len(list(runs.glob("*/*.json"))) >= second, process)
    workers = children(process.pid)
    process.kill()
    process.wait()
    wait_for(lambda: not any(is_alive(pid) for pid in workers))
    before = {file.name: file.stat().st_mtime_ns for file in runs.glob("*/*.json")}
    subprocess.run(sweep_command(output, *words), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = {file.name: file.stat().st_mtime_ns for file in runs.glob("*/*.json")}
    assert before.items() <= after.items()  # what was done was not done again
    return read(output)


def read(output: Path) -> pd.DataFrame:
    (file,) = (output / "sweeps").glob(f"*/{table.FILE_NAME}")
    return pd.read_parquet(file)


def wait_for(condition, process=None, timeout_s: float = 600.0) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s
        assert process is None or process.poll() is None
        time.sleep(0.02)


def test_everything_killed_the_sweep_resumes_and_nothing_is_lost_or_twice(tmp_path):
    words = [*QUICK, "demand.wireless_share=0.05,0.1", "replications=4", "workers=2", "figures=orders"]
    rows = killed_twice_and_resumed(tmp_path, words, 1, 3)
    assert len(rows) == 8
    assert len(rows.drop_duplicates(["code", "config", "seed"])) == 8
    assert set(rows["status"]) == {"done"}


SIXTY_FOUR = ["design=sobol:64", "site.services.payment.machines=200..1200", "demand.wireless_share=0.05..0.4"]
SIXTY_FOUR += ["scale=0.0001", "parcels=off", "replications=5"]


@pytest.mark.long
def test_sixty_four_points_killed_twice_give_the_table_of_an_undisturbed_sweep(tmp_path):
    rows = killed_twice_and_resumed(tmp_path / "killed", SIXTY_FOUR, 40, 150)
    assert len(rows) == 320
    assert len(rows.drop_duplicates(["code", "config", "seed"])) == 320
    subprocess.run(sweep_command(tmp_path / "calm", *SIXTY_FOUR, "workers=1"), check=True)
    pd.testing.assert_frame_equal(rows, read(tmp_path / "calm"), check_exact=True)


def test_without_ray_a_sweep_on_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr("sim.sweeps.cluster.find_spec", lambda name: None)
    with pytest.raises(ParameterError, match=r"pip install 'peakday\[cluster\]'"):
        check_installed()


def test_a_scheduler_that_cannot_be_reached_is_named():
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(
            ParameterError, match=f"address=127.0.0.1:{port} cannot be reached within 10 s: Connection refused"
        ):
            check_address(f"127.0.0.1:{port}")
    for address in ("here", "http://127.0.0.1:1", "127.0.0.1:port", ""):
        with pytest.raises(ParameterError, match="address must be HOST:PORT"):
            check_address(address)


@pytest.mark.long
@pytest.mark.skipif(find_spec("ray") is None, reason="needs Ray: the extra [cluster]")
def test_two_workers_that_join_over_the_network_give_the_same_table(tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", os.urandom(32).hex())
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "120")  # a busy machine takes longer than Ray waits
    start = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--node-ip-address=127.0.0.1"]
    head = [*start, "--head", f"--port={port}", "--num-cpus=0", "--include-dashboard=false"]
    join = [*start, f"--address=127.0.0.1:{port}", "--num-cpus=1"]
    nodes = [subprocess.Popen(head, stdout=subprocess.DEVNULL)]
    try:
        wait_for(lambda: reachable(port), nodes[0], 120)
        nodes += [subprocess.Popen(join, stdout=subprocess.DEVNULL) for _ in range(2)]
        words = [*SIXTY_FOUR, "engine=ray", f"address=127.0.0.1:{port}"]
        sweep = subprocess.Popen(sweep_command(tmp_path / "ray", *words), stdout=subprocess.DEVNULL)
        runs = tmp_path / "ray" / "sweeps" / "runs"
        wait_for(lambda: len(list(runs.glob("*/*.json"))) >= 40, sweep, 1800)
        os.kill(busy_with_a_run(nodes[1].pid), signal.SIGKILL)
        assert sweep.wait(1800) == 0
    finally:
        for node in reversed(nodes):
            node.terminate()
            node.wait()
    subprocess.run(sweep_command(tmp_path / "local", *SIXTY_FOUR), check=True)
    pd.testing.assert_frame_equal(read(tmp_path / "ray"), read(tmp_path / "local"), check_exact=True)


def busy_with_a_run(node: int) -> int:
    """The process of a Ray node that works on a run; Ray writes into its title what it does."""
    found: list[int] = []

    def look() -> bool:
        below = [node]
        while below:
            pid = below.pop()
            with suppress(OSError):
                below += children(pid)
                if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::_checked_run"):
                    found.append(pid)
        return bool(found)

    wait_for(look, timeout_s=120)
    return found[0]


def reachable(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
