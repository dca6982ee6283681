"""Shortest tours, exactly: what the formula of the couriers' tours is held against."""

import math

import numpy as np

from sim.kernels import kernel
from sim.kernels.random import uniform


@kernel
def shortest_tours(key, side_km, distance_km, cost_km, length_km):
    """Lengths of the shortest tours through points spread uniformly over a square whose opposite edges are joined.

    Dynamic programme over sets of points; M. Held, R. M. Karp (1962), doi:10.1137/0110015. Without edges there is no margin,
    which would count for much with few points.

    Parameters
    ----------
    distance_km : float64[points, points], work space
    cost_km : float64[2 ** (points - 1), points - 1], work space: from the last point through all of a set to one of it
    length_km : float64[tours], the result
    """
    points = distance_km.shape[0]
    home = points - 1
    for tour in range(length_km.size):
        for a in range(points):
            for b in range(points):
                squares = 0.0
                for axis in range(2):
                    apart = abs(
                        uniform(key, tour * points + a, axis) - uniform(key, tour * points + b, axis)
                    )  # of a side
                    apart = min(apart, 1.0 - apart)
                    squares += apart * apart
                distance_km[a, b] = side_km * math.sqrt(squares)
        cost_km[:] = np.inf
        for b in range(home):
            cost_km[1 << b, b] = distance_km[home, b]
        for visited in range(1, 1 << home):
            for end in range(home):
                so_far_km = cost_km[visited, end]
                if so_far_km == np.inf:
                    continue
                for b in range(home):
                    if visited & (1 << b) == 0:
                        further = visited | (1 << b)
                        cost_km[further, b] = min(cost_km[further, b], so_far_km + distance_km[end, b])
        shortest_km = np.inf
        for end in range(home):
            shortest_km = min(shortest_km, cost_km[(1 << home) - 1, end] + distance_km[end, home])
        length_km[tour] = shortest_km
