"""One festival, from the midnight crowd to the last signed parcel.

Question: what happens on the day and in the weeks after it, under these parameters?
Run:      peakday run scale=0.001 seed=1
Reads:    configs/, sim/data/
Writes:   OUTPUT/EXPERIMENT/RUN/ with config.yaml, provenance.json, kpis.json, tables/, figures/ and report.html
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.arguments import explanation, split, usage, with_units

if TYPE_CHECKING:
    from sim.runner import Replication

HELP = "one festival: key figures, tables, figures and a report"

_TEXT = """usage: {usage}

Simulates one festival day and the weeks until its parcels are signed; prints the key figures beside the published
ones and writes OUTPUT/EXPERIMENT/RUN/ with config.yaml, provenance.json, kpis.json, tables/*.parquet, figures/ and
report.html.
The same run again (code, config and seed) is read, not simulated.

{explanation}

Examples
{examples}"""

EXAMPLES = {
    "peakday run": "the festival of 2012",
    "peakday run scale=0.01 threads=2 seed=7": "ten times as many shoppers, on two threads, other draws",
    "peakday run parcels=off": "the site alone; site=off: the road alone",
    "peakday run site.services.search.machines=50": "a site that can hardly search",
    "peakday run replications=5 output=elsewhere": "five seeds, mean and spread, results into another folder",
    "peakday run --cfg job": "print the composed parameters, run nothing",
}


def main(arguments: Sequence[str]) -> int:
    """Run it; the exit status is 0 when every replication has its result."""
    asked = split("run", arguments)
    if asked.show_help:
        examples = "\n".join(f"  {command:<46}{meaning}" for command, meaning in EXAMPLES.items())
        print(_TEXT.format(usage=usage("run"), explanation=explanation(), examples=examples))
        return 0

    from sim import runner

    config = runner.composed(asked.experiment, asked.overrides)
    if asked.show_config:
        print(with_units(config))
        return 0

    from experiments.figures import published_at, show_figures, show_replications

    replications = runner.prepare(asked.experiment, config, output=config["output"], overrides=asked.overrides)
    ends = [_run(replication, number, config["replications"]) for number, replication in enumerate(replications, 1)]
    published = published_at(config["scale"])
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


def _run(replication: "Replication", number: int, replications: int) -> _End:
    from experiments.progress import watch
    from sim import runner, store
    from sim.units import HOUR_S

    known = replication.directory is not None and store.is_result(replication.directory)
    label = f"seed {replication.params.seed}" + (f" ({number} of {replications})" if replications > 1 else "")
    with watch(label, replication.params.demand.horizon_h * HOUR_S) as progress:
        result = runner.run(replication, progress)
    if known:
        print(f"{label}: this run is there already, read from {replication.directory}")
    return _End(result.kpis, result.directory)
