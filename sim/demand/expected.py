"""Page requests expected in every second of the day: the means of the visits' Markov chain, second by second, as a fluid."""

import numpy as np

from sim.demand.arrivals import arrival_curve
from sim.demand.visits import BROWSING, BUYING, think_mean_s, transitions
from sim.params.demand import DemandParams
from sim.units import HOUR_S


def page_requests_per_s(params: DemandParams) -> dict[str, np.ndarray]:
    """Requests of each page in every second from t = 0 to the horizon, of the real day, when no request fails or waits.

    Think times are taken as exponential with their means, in steps of a second.

    Returns
    -------
    For each page float64[seconds] [1/s].
    """
    visit = params.visit
    names = list(visit.pages)
    seconds = int(params.horizon_h * HOUR_S)
    first = np.zeros((2, len(names)))
    first[BUYING, names.index(visit.entry)] = params.buyer_share
    first[BROWSING, names.index(visit.entry)] = 1.0 - params.buyer_share
    entering, follow = first.ravel(), _follow(params)
    arrivals = _arrivals(params, seconds)
    clicks_share = np.minimum(1.0 / think_mean_s(visit), 1.0).ravel()  # of those who look at a page, within a second
    looking = np.zeros(entering.size)
    asked = np.zeros((seconds, entering.size))
    for second in range(seconds):
        clicking = looking * clicks_share
        asked[second] = clicking @ follow + arrivals[second] * entering
        looking += asked[second] - clicking
    by_page = asked.reshape(seconds, 2, len(names)).sum(axis=1)
    return {name: by_page[:, page].copy() for page, name in enumerate(names)}


def _arrivals(params: DemandParams, seconds: int) -> np.ndarray:
    """Shoppers who come in each second: float64[seconds]."""
    curve = arrival_curve(params)
    return np.asarray(np.diff(np.interp(np.arange(seconds + 1.0), curve.time_s, curve.share)) * params.shoppers)


def _follow(params: DemandParams) -> np.ndarray:
    """Chances that a page in a mood is followed by another page in a mood: float64[2 P, 2 P], rows ordered by mood.

    Who has paid for the last order that they wanted goes on browsing.
    """
    names = list(params.visit.pages)
    n, paid = len(names), names.index(params.visit.paid)
    chances = transitions(params.visit)[:, :, :-1]
    follow = np.zeros((2, n, 2, n))
    for mood in (BROWSING, BUYING):
        follow[mood, :, mood] = chances[mood]
    content = follow[BUYING, :, BUYING, paid] / params.orders_per_buyer  # the number of orders is geometric
    follow[BUYING, :, BROWSING, paid] += content
    follow[BUYING, :, BUYING, paid] -= content
    return follow.reshape(2 * n, 2 * n)
