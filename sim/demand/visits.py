"""Visits in arrays for the kernels, and what they come to on average.

A visit is a Markov chain over pages with two tables of transitions, one while orders are still wanted and one
otherwise (a customer behaviour model graph: Menasce, Almeida, Fonseca, Mendes 1999). Its expected page views and times
follow from the fundamental matrix (Kemeny and Snell 1960), which is how the configs were calibrated and what the tests
hold the simulation against.
"""

import math

import numpy as np

from sim.kernels.visits import ORDERS_MOST, Behaviour
from sim.params.demand import LEAVE, DemandParams, VisitParams

BROWSING, BUYING = 0, 1


def behaviour(params: DemandParams) -> Behaviour:
    """What shoppers do, as the kernels read it."""
    visit = params.visit
    names = list(visit.pages)
    value = params.order_value
    sigma = math.sqrt(math.log(1 + value.cv**2))
    return Behaviour(
        entry=names.index(visit.entry),
        paid=names.index(visit.paid),
        next_page=_to_cumulative(transitions(visit)),
        think_mean_s=think_mean_s(visit) - visit.think_least_s,
        think_least_s=visit.think_least_s,
        wants_more=_wants_more(params),
        value_mu=math.log(value.mean_rmb) - sigma**2 / 2,
        value_sigma=sigma,
        region_cumulative=region_cumulative(params),
        wireless_share=params.wireless_share,
    )


def _wants_more(params: DemandParams) -> np.ndarray:
    """Share of the shoppers who want more than so many orders, a buyer's number being geometric: float64[ORDERS_MOST + 1].

    Nobody wants ORDERS_MOST, by which visitors from outside are known.
    """
    shares = params.buyer_share * (1 - 1 / params.orders_per_buyer) ** np.arange(ORDERS_MOST + 1.0)
    shares[-2:] = 0.0
    return shares


def region_cumulative(params: DemandParams) -> np.ndarray:
    """Share of the shoppers in the regions up to each: float64[regions], ends with exactly 1."""
    sums = np.cumsum(list(params.regions.values()))
    sums[-1] = 1.0
    return sums


def transitions(visit: VisitParams) -> np.ndarray:
    """Chances of the next page: float64[2, P, P + 1], first axis BROWSING or BUYING, last entry leaving."""
    columns = [*visit.pages, LEAVE]
    chances = np.zeros((2, len(visit.pages), len(columns)))
    for row, page in enumerate(visit.pages.values()):
        for mood, following in ((BROWSING, page.browsing), (BUYING, page.buying)):
            for name, chance in following.next.items():
                chances[mood, row, columns.index(name)] = chance
    return chances


def think_mean_s(visit: VisitParams) -> np.ndarray:
    """Mean think times: float64[2, P], first axis BROWSING or BUYING."""
    pages = visit.pages.values()
    return np.array([[page.browsing.think_mean_s for page in pages], [page.buying.think_mean_s for page in pages]])


def _to_cumulative(chances: np.ndarray) -> np.ndarray:
    cumulative = np.cumsum(chances, axis=-1)
    return np.asarray(cumulative / cumulative[..., -1:])


def expected_views(params: DemandParams) -> dict[str, float]:
    """Mean page views of a shopper by page, when no request fails."""
    visit = params.visit
    names = list(visit.pages)
    browsing, buying = (chances[:, :-1] for chances in transitions(visit))
    paid = names.index(visit.paid)
    until_paid = buying.copy()
    until_paid[paid] = 0  # the chain of one order ends when it is paid
    one_order = np.linalg.inv(np.eye(len(names)) - until_paid)
    rest = np.linalg.inv(np.eye(len(names)) - browsing)
    entry = np.eye(len(names))[names.index(visit.entry)]
    buyer = entry @ one_order + (params.orders_per_buyer - 1) * (buying[paid] @ one_order) + browsing[paid] @ rest
    views = params.buyer_share * buyer + (1 - params.buyer_share) * (entry @ rest)
    return dict(zip(names, views.tolist(), strict=True))


def mean_order_lag_s(params: DemandParams) -> float:
    """Mean time [s] from a shopper's arrival to the payment of an order, over all orders, when pages answer at once."""
    visit = params.visit
    names = list(visit.pages)
    buying = transitions(visit)[BUYING][:, :-1]
    paid = names.index(visit.paid)
    think_s = think_mean_s(visit)[BUYING]
    until_paid = buying.copy()
    until_paid[paid] = 0
    think_until_paid_s = think_s.copy()
    think_until_paid_s[paid] = 0
    to_payment_s = np.linalg.solve(np.eye(len(names)) - until_paid, think_until_paid_s)
    between_s = think_s[paid] + buying[paid] @ to_payment_s
    earlier_orders = params.orders_per_buyer - 1  # of a geometric number, seen from a random order
    return float(to_payment_s[names.index(visit.entry)] + earlier_orders * between_s)
