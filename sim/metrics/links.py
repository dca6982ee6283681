"""The access links: what they carry against what they can, at the run's scale.

Pages count when they arrive whole. So a step may show somewhat more than the bandwidth: much of what arrives in it had been
under way before.
"""

import numpy as np
import pandas as pd

from sim.metrics.shoppers import Segments, segments


def link_load(
    link_seconds: pd.DataFrame, *, start_s: int, end_s: int, step_s: int
) -> dict[tuple[str, str], pd.DataFrame]:
    """Load of the link of each region and channel in [start_s, end_s) in steps of whole seconds.

    Returns
    -------
    For each link: `time_s`, the step's start [s]; `gbit_per_s`, delivered; `bandwidth_gbit_per_s`; `load`, the first by the
    second; `under_way`, the most pages on their way at the end of one of its seconds.
    """
    names, segment = segments(link_seconds)
    bandwidth = _bandwidth(link_seconds, Segments(names, segment))
    second = link_seconds["second_s"].to_numpy()
    within = (second >= start_s) & (second < end_s)
    steps = -(-(end_s - start_s) // step_s)
    place = segment[within] * steps + (second[within] - start_s) // step_s
    shape = (len(names), steps)
    gbit = np.bincount(place, link_seconds["delivered_gbit"].to_numpy()[within], len(names) * steps).reshape(shape)
    under_way = np.zeros(len(names) * steps)
    np.maximum.at(under_way, place, link_seconds["under_way"].to_numpy()[within])
    return {
        key: pd.DataFrame(
            {
                "time_s": start_s + step_s * np.arange(steps, dtype=float),
                "gbit_per_s": gbit[k] / step_s,
                "bandwidth_gbit_per_s": bandwidth[k],
                "load": gbit[k] / step_s / bandwidth[k],
                "under_way": under_way.reshape(shape)[k],
            }
        )
        for k, key in enumerate(names)
    }


def fullest(link_seconds: pd.DataFrame, *, step_s: int = 60) -> pd.DataFrame:
    """The busiest step of each link over the whole run.

    Returns
    -------
    `region`, `channel`; `bandwidth_gbit_per_s`; `peak_load`, share of the bandwidth that was delivered in the busiest step;
    `peak_s`, the step's start [s]; `under_way`, the most pages on their way at once.
    """
    names, segment = segments(link_seconds)
    bandwidth = _bandwidth(link_seconds, Segments(names, segment))
    step = link_seconds["second_s"].to_numpy() // step_s
    steps = int(step.max(initial=0)) + 1
    gbit = np.bincount(segment * steps + step, link_seconds["delivered_gbit"].to_numpy(), len(names) * steps)
    gbit = gbit.reshape(len(names), steps)
    under_way = np.zeros(len(names))
    np.maximum.at(under_way, segment, link_seconds["under_way"].to_numpy())
    return pd.DataFrame(
        {
            "region": [region for region, _ in names],
            "channel": [channel for _, channel in names],
            "bandwidth_gbit_per_s": bandwidth,
            "peak_load": gbit.max(axis=1, initial=0.0) / step_s / bandwidth,
            "peak_s": gbit.argmax(axis=1) * float(step_s),
            "under_way": under_way,
        }
    )


def _bandwidth(link_seconds: pd.DataFrame, found: Segments) -> np.ndarray:
    """Bandwidth of each segment's link [Gbit/s]."""
    bandwidth = np.zeros(len(found.names))
    bandwidth[found.of_row] = link_seconds["bandwidth_gbit_per_s"].to_numpy()
    return bandwidth
