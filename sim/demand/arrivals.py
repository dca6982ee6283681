"""The arrival curve: when shoppers come, so that what they buy follows the published sales.

    cumulative arrivals A(t) = crowd(t) + everyone else(t),   A(t - lag) = published sales(t) / sales of the day

where lag is the mean time from a shopper's arrival to an order. The crowd clicks within seconds of midnight; the
others are spread between the published points in proportion to the hour weights.
"""

import numpy as np

from sim.demand.visits import mean_order_lag_s
from sim.kernels.arrivals import Curve, guided_curve
from sim.params import ParameterError
from sim.params.demand import DemandParams
from sim.units import HOUR_S

CROWD_KNOTS = 600  # knots a crowd's exponential is drawn with


def arrival_curve(params: DemandParams) -> Curve:
    """Cumulative share of the shoppers who have come, linear between knots.

    Raises
    ------
    ParameterError
        When the crowd alone would buy more by some point than was sold.
    """
    arrivals = params.arrivals
    lag_s = mean_order_lag_s(params)
    total_rmb = arrivals.sales[-1].gmv_rmb
    point_s = np.array([0.0, *(point.time_s - lag_s for point in arrivals.sales)])
    point_share = np.array([0.0, *(point.gmv_rmb / total_rmb for point in arrivals.sales)])
    if point_s[1] <= 0:
        raise ParameterError(
            [
                f"demand.arrivals.sales must begin later than the mean lag from arrival to order {lag_s:.0f} [s], "
                f"begins at {arrivals.sales[0].clock}"
            ]
        )
    crowd_share = arrivals.crowd.shoppers / params.shoppers
    decay_s = arrivals.crowd.mean_delay_s
    crowd_s = np.minimum(np.linspace(0.0, 12 * decay_s, CROWD_KNOTS), point_s[-1])
    hours_s = np.arange(0.0, point_s[-1], HOUR_S)
    knot_s = np.unique(np.concatenate([crowd_s, hours_s, point_s]))

    def crowd(time_s: np.ndarray) -> np.ndarray:
        share: np.ndarray = crowd_share * np.expm1(-time_s / decay_s) / np.expm1(-point_s[-1] / decay_s)
        return share

    others_at_points = point_share - crowd(point_s)
    if np.any(np.diff(others_at_points) < 0):
        raise ParameterError(
            ["demand.arrivals.crowd.shoppers must not buy more than the published sales by their first point"]
        )
    weight = _hour_weight_until(knot_s, arrivals.hour_weight)
    others = _spread(knot_s, weight, point_s, others_at_points)
    share = crowd(knot_s) + others
    return guided_curve(knot_s, share / share[-1])


def _hour_weight_until(time_s: np.ndarray, hour_weight: tuple[float, ...]) -> np.ndarray:
    """Integral of the hour weights from midnight to each time, weights per hour."""
    total = np.concatenate([[0.0], np.cumsum(hour_weight)])
    return np.asarray(np.interp(time_s / HOUR_S, np.arange(len(total)), total))


def _spread(knot_s: np.ndarray, weight: np.ndarray, point_s: np.ndarray, cumulative: np.ndarray) -> np.ndarray:
    """Cumulative values at the knots: those at the points are kept, and between two points they follow the weight."""
    weight_at_points = np.interp(point_s, knot_s, weight)
    interval = np.clip(np.searchsorted(point_s, knot_s, side="right") - 1, 0, len(point_s) - 2)
    part = (weight - weight_at_points[interval]) / np.diff(weight_at_points)[interval]
    return np.asarray(cumulative[interval] + part * np.diff(cumulative)[interval])
