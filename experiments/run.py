"""One festival, from the midnight crowd to the last signed parcel.

Question: what happens on the day and in the weeks after it, under these parameters?
Run:      peakday run scale=0.001 seed=1
Reads:    configs/, sim/data/, and with from=FILE a saved state
Writes:   OUTPUT/EXPERIMENT/RUN/ with config.yaml, provenance.json, kpis.json, tables/, figures/ and report.html; with
          save_at=TIME the run's state at that instant, beside that folder or into state=FILE
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.arguments import explanation, split, usage, with_units
from experiments.states import begun_by, branch_of, states_of

if TYPE_CHECKING:
    from sim.runner import Replication
    from sim.saves import Branch

HELP = "one festival: key figures, tables, figures and a report"

_TEXT = """usage: {usage}

Simulates one festival day and the weeks until its parcels are signed; prints the key figures beside the published
ones and writes OUTPUT/EXPERIMENT/RUN/ with config.yaml, provenance.json, kpis.json, tables/*.parquet, figures/ and
report.html.
The same run again (code, config and seed) is read, not simulated.

A run can be saved on its way, and others can branch off from there. What acts at that instant or later may differ, and all of
the road; what would have acted before may not, and is refused by name. A branch has the bits of the run that never stopped.
  save_at=2012-11-11T00:10    write the state of that instant (also 00:10, or 600 seconds) beside the results
  state=FILE                  write it there
  from=FILE                   go on from a state, with its parameters and what is changed here

{explanation}

Examples
{examples}"""

EXAMPLES = {
    "peakday run": "the festival of 2012",
    "peakday run scale=0.01 threads=2 seed=7": "ten times as many shoppers, on two threads, other draws",
    "peakday run parcels=off": "the site alone; site=off: the road alone",
    "peakday run site.services.search.machines=50": "a site that can hardly search",
    "peakday run replications=5 output=elsewhere": "five seeds, mean and spread, results into another folder",
    "peakday run scale=0.01 save_at=00:10 state=ten_past.npz": "keep the state of ten past midnight",
    "peakday run from=ten_past.npz contingency=room_cooling": "what if a server room heats up then?",
    "peakday run --cfg job": "print the composed parameters, run nothing",
}


def main(arguments: Sequence[str]) -> int:
    """Run it; the exit status is 0 when every replication has its result."""
    states, words = states_of(arguments)
    asked = split("run", words)
    if asked.show_help:
        examples = "\n".join(f"  {command:<46}{meaning}" for command, meaning in EXAMPLES.items())
        print(_TEXT.format(usage=usage("run"), explanation=explanation(), examples=examples))
        return 0

    from sim import runner

    asked = begun_by(states, asked, named=any(word.startswith("experiment=") for word in words))
    config = runner.composed(asked.experiment, asked.overrides)
    if asked.show_config:
        print(with_units(config))
        return 0

    from experiments.figures import published_at, show_figures, show_replications

    replications = list(runner.prepare(asked.experiment, config, output=config["output"], overrides=asked.overrides))
    branch = branch_of(states, asked, replications)
    ends = [_run(replication, number, len(replications), branch) for number, replication in enumerate(replications, 1)]
    if branch is not None and branch.stop is not None:
        print(f"state: {branch.stop.file}")
    published = published_at(config["scale"], config["demand"]["year"])
    if len(ends) == 1:
        show_figures(ends[0].kpis, published)
    else:
        show_replications([end.kpis for end in ends], published)
    for end in ends:
        print("nothing was written (output=null)" if end.directory is None else f"report: {end.directory}/report.html")
    return 0


class _End(NamedTuple):
    """What is kept of a replication while the others run: not its tables."""

    kpis: dict[str, Any]
    directory: Path | None


def _run(replication: "Replication", number: int, replications: int, branch: "Branch | None") -> _End:
    from experiments.progress import watch
    from sim import runner, store

    known = replication.directory is not None and store.is_result(replication.directory)
    label = f"seed {replication.params.seed}" + (f" ({number} of {replications})" if replications > 1 else "")
    with watch(label) as progress:
        result = runner.run(replication, progress, branch)
        if known and branch is not None and branch.stop is not None:
            branch.begin(replication.params, progress)
    if known:
        print(f"{label}: this run is there already, read from {replication.directory}")
    return _End(result.kpis, result.directory)
