"""Answers of the parcels part to what is asked about all parcels at once, from its rows and without their table."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from sim.geography import Geography
from sim.kernels.rows import TICKS_PER_S
from sim.kernels.tally import STATES, WRONG, Counts, Limits, tally
from sim.parcels.yard import Yard
from sim.records import Counted, Counter, Survey
from sim.units import HOUR_S


def parcel_counter(yard: Yard, geography: Geography, threads: int) -> Counter:
    """Counts the rows as of the time when it is asked, on so many threads; no result depends on them."""
    return Counter(yard.plan.carriers, tuple(geography.name.tolist()), lambda survey: _counted(yard, survey, threads))


def _counted(yard: Yard, survey: Survey, threads: int) -> Counted:
    yard.stamp()
    ends = np.linspace(0, yard.ledger.created, threads + 1).astype(np.int64).tolist()

    def count(part: int) -> Counts:
        counts = _nothing_counted(yard, survey)
        tally(
            ends[part],
            ends[part + 1],
            yard.env.now,
            round(survey.bin_s * TICKS_PER_S),
            survey.at_s,
            Limits(*survey.limits_s),
            survey.hub_of,
            survey.band_of,
            yard.ledger.rows,
            yard.ledger.orders,
            np.empty(STATES, np.int64),
            np.empty(STATES, np.int64),
            counts,
        )
        return counts

    with ThreadPoolExecutor(threads) as pool:
        first, *others = pool.map(count, range(threads))
    last_hour = max(int(one.last_hour[0]) for one in (first, *others))
    for one in others:
        for total, part in zip(first, one, strict=True):
            total += part
    return Counted(
        first.entered[:, :, : last_hour + 1],
        first.moves,
        first.leads,
        first.by_lane,
        first.by_city,
        first.by_merchant,
    )


def _nothing_counted(yard: Yard, survey: Survey) -> Counts:
    carriers, cities = survey.hub_of.shape
    now_s, instants, stands = yard.env.now, survey.at_s.size, 2 * WRONG
    hours, bins = math.ceil(now_s / HOUR_S) + 1, math.ceil(now_s / survey.bin_s) + 1
    merchants = yard.ledger.merchants.market.merchant_city.size
    return Counts(
        entered=np.zeros((carriers, STATES, hours + 1), np.int64),
        last_hour=np.zeros(1, np.int64),
        moves=np.zeros((survey.moves_days, STATES + 1, STATES + 1), np.int64),
        leads=np.zeros((carriers, survey.bands, bins), np.int64),
        by_lane=np.zeros((instants, carriers, survey.hubs, survey.hubs, stands), np.int64),
        by_city=np.zeros((instants, cities, stands), np.int64),
        by_merchant=np.zeros((instants, merchants, stands), np.int64),
    )
