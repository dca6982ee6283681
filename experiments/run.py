"""One festival, from the midnight crowd to the last signed parcel.

Question: what happens on the day and in the weeks after it, under these parameters?
Run:      peakday run scale=0.001 seed=1
Reads:    configs/, sim/data/
Writes:   OUTPUT/EXPERIMENT/RUN/ with config.yaml, provenance.json, kpis.json, tables/, figures/ and report.html
"""

from collections.abc import Sequence

from experiments.arguments import explanation, split, usage, with_units

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

    from sim.compose import compose

    config = compose(asked.experiment, asked.overrides)
    if asked.show_config:
        print(with_units(config))
        return 0

    from experiments.figures import published_at, show_figures, show_replications
    from experiments.progress import watch
    from sim import runner, store
    from sim.units import HOUR_S

    replications = runner.prepare(asked.experiment, config, output=config["output"])
    results = []
    for number, replication in enumerate(replications, start=1):
        known = replication.directory is not None and store.is_result(replication.directory)
        label = f"seed {replication.params.seed}" + (
            f" ({number} of {len(replications)})" if len(replications) > 1 else ""
        )
        with watch(label, replication.params.demand.horizon_h * HOUR_S) as progress:
            results.append(runner.run(replication, progress))
        if known:
            print(f"{label}: this run is there already, read from {replication.directory}")
    published = published_at(replications[0].params.scale)
    if len(results) == 1:
        show_figures(results[0].kpis, published)
    else:
        show_replications([result.kpis for result in results], published)
    for result in results:
        print(f"report: {result.directory}/report.html")
    return 0
