"""From the site's parameters to one cell's arrays: draws, client, capacity, guards and links, each with the cell's share."""

import math

import numpy as np

from sim.draws import stream
from sim.kernels import retrial, station
from sim.kernels.guards import NO_LIMIT
from sim.kernels.link import Links, idle_links
from sim.kernels.visits import Client, Keys
from sim.params.links import CHANNELS, Channel, LinksParams
from sim.params.services import ServiceParams
from sim.params.site import SiteParams
from sim.site.cell import Share
from sim.site.graph import room_of

_DISPATCH = {
    "central": station.CENTRAL,
    "random": station.RANDOM,
    "round_robin": station.ROUND_ROBIN,
    "two_choices": station.TWO_CHOICES,
    "least_connections": station.LEAST_CONNECTIONS,
}
_BACKOFF = {"none": retrial.NO_BACKOFF, "fixed": retrial.FIXED, "growing": retrial.GROWING}
_JITTER = {
    "none": retrial.NO_JITTER,
    "equal": retrial.EQUAL,
    "full": retrial.FULL,
    "decorrelated": retrial.DECORRELATED,
    "memoryless": retrial.MEMORYLESS,
}


def visit_keys(seed: int) -> Keys:
    """Keys of all draws of visits and requests."""
    visit = Keys(*(stream(seed, f"visit.{name}") for name in Keys._fields))
    return visit._replace(region=stream(seed, "shopper.region"), channel=stream(seed, "shopper.channel"))


def cells_at_scale(params: SiteParams, scale: float) -> int:
    """Cells that a scaled-down site is divided into: no more than its smallest service can be shared out to."""
    fewest = min(
        round((service.slots if service.dispatch == "central" else service.machines) * scale)
        for service in params.services.values()
    )
    return max(1, min(params.cells, fewest))


def slots_of_cells(slots: float, cells: int) -> np.ndarray:
    """Whole slots of each cell, as equal as can be, at least one each: int64[cells]."""
    total = max(cells, round(slots))
    return np.array([total // cells + (index < total % cells) for index in range(cells)], np.int64)


def client_of_cell(params: SiteParams, scale: float, cells: int) -> Client:
    """What a browser does, as the kernels read it; a cell has its share of the site's retry budget."""
    client, budget = params.client, params.client.budget
    return Client(
        timeout_s=math.inf if client.timeout_s is None else client.timeout_s,
        retries=client.retries,
        backoff=_BACKOFF[client.backoff],
        jitter=_JITTER[client.jitter],
        least_s=client.least_s,
        base_s=client.base_s,
        factor=client.factor,
        cap_s=client.cap_s,
        budget=math.inf if budget is None else max(1.0, budget.tokens * scale / cells),
        budget_gain=0.0 if budget is None else budget.gain,
    )


def shares_of_cells(params: SiteParams, stations: list[str], scale: float) -> list[Share]:
    """Each cell's share of all stations, whole servers, slots and places, the larger shares first."""
    cells = cells_at_scale(params, scale)
    columns: dict[str, list[np.ndarray]] = {name: [] for name in Share._fields if name != "rules"}
    rules: dict[str, list[float]] = {}
    for name in stations:
        served = room_of(params, name)
        if served is None:
            share = _service_share(params.services[name], scale, cells)
        else:
            share = _room_share(params.services[served], scale, cells)
        for column, values in share.items():
            columns[column].append(values)
        for rule, value in _rules(None if served is not None else params.services[name], scale / cells).items():
            rules.setdefault(rule, []).append(value)
    stacked = {name: np.array(rows) for name, rows in columns.items()}
    arrays = {rule: np.array(values) for rule, values in rules.items()}
    return [
        Share(**{name: rows[:, cell].copy() for name, rows in stacked.items()}, rules=arrays) for cell in range(cells)
    ]


def _service_share(service: ServiceParams, scale: float, cells: int) -> dict[str, np.ndarray]:
    """A service's columns of Share, each with an entry for every cell."""
    central = service.dispatch == "central"
    machines = slots_of_cells(service.machines * scale, cells)
    places = slots_of_cells(service.queue * scale, cells)
    slots = slots_of_cells(service.slots * scale, cells) if central else np.full(cells, service.slots_per_machine)
    return {
        "servers": np.ones_like(machines) if central else machines,
        "slots": slots,
        "limit": places if central else np.maximum(places // machines, service.queue > 0),
        "timeout_s": np.full(cells, service.timeout_s),
        "dispatch": np.full(cells, _DISPATCH[service.dispatch]),
    }


def _room_share(service: ServiceParams, scale: float, cells: int) -> dict[str, np.ndarray]:
    """The columns of Share of a service's waiting room, which lets in one after the other."""
    assert service.waiting_room is not None
    one = np.ones(cells, np.int64)
    return {
        "servers": one,
        "slots": one,
        "limit": slots_of_cells(service.waiting_room.places * scale, cells),
        "timeout_s": np.full(cells, service.waiting_room.patience_s),
        "dispatch": np.full(cells, station.CENTRAL),
    }


def _rules(service: ServiceParams | None, share: float) -> dict[str, float]:
    """The rules of a station's guards in a cell with that share of the site at full scale; None: no guards."""
    limit = service.rate_limit if service else None
    breaker = service.breaker if service else None
    degrade = service.degrade if service else None
    most = service.concurrency_limit if service else None
    return {
        "rate_per_s": limit.rate_per_s * share if limit else math.inf,
        "burst": max(1.0, limit.burst * share) if limit else 1.0,
        "warm_up_s": limit.warm_up_s if limit else 0.0,
        "cold_share": limit.cold_share if limit else 1.0,
        "most": max(1, round(most * share)) if most else NO_LIMIT,
        "deadline_s": service.shed.deadline_s if service and service.shed else math.inf,
        "mean_s": service.service.expected_s if service else 0.0,
        "window": breaker.window if breaker else 0,
        "least_answers": breaker.least_answers if breaker else 0,
        "failure_share": breaker.failure_share if breaker else 1.0,
        "slow_s": breaker.slow_s if breaker and breaker.slow_s else math.inf,
        "open_s": breaker.open_s if breaker else 0.0,
        "trials": breaker.trials if breaker else 0,
        "simple_from": max(1, round(degrade.from_queue * share)) if degrade else NO_LIMIT,
        "simple_until": min(round(degrade.until_queue * share), max(1, round(degrade.from_queue * share)) - 1)
        if degrade
        else 0,
        "simple_share": degrade.time_share if degrade else 1.0,
    }


def links_of_cell(params: SiteParams, pages: list[str], regions: list[str], share: float) -> Links:
    """Idle access links of one cell with that share of the site at full scale, by region and channel; none without them."""
    if params.links is None:
        return idle_links(np.zeros(0), np.zeros(0), np.zeros((0, len(pages))))
    links = params.links
    segments = [(region, channel) for region in regions for channel in CHANNELS]
    return idle_links(
        np.array([link_bit_per_s(links, *segment, share) for segment in segments]),
        np.array([1e6 * links.line_mbit_per_s[channel] for _, channel in segments]),
        np.array([[round(8e3 * links.page_kbyte[page][channel]) for page in pages] for _, channel in segments], float),
    )


def link_bit_per_s(links: LinksParams, region: str, channel: Channel, share: float) -> float:
    """Bandwidth of one link in a cell with that share of the site at full scale: one line at full speed fits at least."""
    whole = links.bandwidth_bit_per_s(region, channel)
    return max(whole * share, min(whole, 1e6 * links.line_mbit_per_s[channel]))
