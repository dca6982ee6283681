"""What all carriers' processes share: rows, hubs, outlets, the plan and the records."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import simpy
from numpy.typing import NDArray

from sim.kernels.convoys import EMPTIED, Docks, bring_all, convoys_of, empty_docks, with_more
from sim.kernels.everyday import no_everyday
from sim.kernels.hub import Hubs, Routes, advance_carriers, let_all_in, let_in, stamp_unloaded
from sim.kernels.outlet import Outlets
from sim.kernels.rows import empty_queues
from sim.params.parcels import ParcelsParams
from sim.parcels.dispatch import Outlook, way_around
from sim.parcels.last_mile import make_outlets
from sim.parcels.ledger import Ledger
from sim.parcels.plan import Plan
from sim.parcels.record import Trips
from sim.units import HOUR_S

_PLACES = 64  # for convoys of a carrier, until there are more

Integers = NDArray[np.int64]


@dataclass
class Yard:
    """State of the parcels part on one environment. Its methods advance the hubs, and the vehicles on their way there."""

    env: simpy.Environment
    weight: float
    plan: Plan
    ledger: Ledger
    hubs: Hubs
    outlets: Outlets
    docks: Docks
    convoys: NDArray[np.void]  # CONVOY[carriers, places]; moves in memory when it grows
    trips: Trips
    held: NDArray[np.bool_]  # [lanes], not served because of a forecast
    routes: Routes  # the plan's, until a forecast or a detour changes them
    closed: NDArray[np.bool_]  # [lanes], on which no truck leaves or arrives
    pace: NDArray[np.float64]  # [lanes], share of the trucks' speed
    avoided: NDArray[np.bool_]  # [lanes], which what is sorted goes around
    way_around: Callable[[NDArray[np.bool_]], NDArray[np.int32]]  # lanes to avoid -> next lane between any two hubs
    turn_back: list[Callable[[NDArray[np.void]], None]] = field(default_factory=list)  # by carrier: EMPTIED[n]
    lost: int = 0
    signed: int = 0
    sent_back: int = 0
    returned: int = 0  # back at their merchants, or on the van there
    _forecast_lane: NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        hubs = self.plan.hubs
        self._first_hub = np.array([*(own.start for own in hubs), hubs[-1].stop])
        self._most_hubs = max(map(len, hubs))
        self._lost, self._trips = np.zeros(len(hubs), np.int64), np.zeros(len(hubs), np.int64)  # what `sort` has found
        self._emptied = np.empty(self.convoys.shape, EMPTIED)  # the trips

    def advance(self, carrier: int) -> None:
        """Let a carrier's hubs do everything before now; vehicles that arrive at this very instant come in as well."""
        self.make_room()
        self.sort(range(carrier, carrier + 1), self.env.now)
        self.note(range(carrier, carrier + 1))

    def sort(self, carriers: range, through_s: float) -> None:
        """Advance the hubs of some carriers, and touch nobody else's; their vehicles through `through_s`, now or just before.

        There must be room for what is split off. What came of it is for `note`.
        """
        ledger = self.ledger
        advance_carriers(
            carriers.start,
            carriers.stop,
            self._first_hub,
            self.env.now,
            through_s,
            self.weight,
            ledger.orders.origin,
            self.routes,
            ledger.rows,
            self.hubs,
            self.docks,
            self.convoys,
            self._emptied,
            self._lost,
            self._trips,
        )

    def note(self, carriers: range) -> None:
        """Write down what `sort` has found at some carriers: rows lost, and trips that were unloaded, whose trucks drive back."""
        own = slice(carriers.start, carriers.stop)
        self.lost += int(self._lost[own].sum())
        self._turn_back(carriers)

    def _turn_back(self, carriers: range) -> None:
        for carrier in carriers:
            if trips := int(self._trips[carrier]):
                self.turn_back[carrier](self._emptied[carrier, :trips])

    def make_room(self, more: int = 0) -> None:
        """Make room for so many convoys more of each carrier, for one at each hub and one beside each that there is.

        These are what may be split off at the hubs. Convoys move in memory when there is too little.
        """
        free = int(self.convoys["rows"][:, 0].min())
        missing = self.convoys.shape[1] - 2 * free + more + self._most_hubs
        if missing > 0:
            places = self.convoys.shape[1] + missing
            self.convoys = np.stack([with_more(own, places) for own in self.convoys])
            self._emptied = np.empty(self.convoys.shape, EMPTIED)

    def unload(self, first_hub: int, end_hub: int) -> None:
        """Unload what waits for some hubs of one carrier, which have been advanced, while there is room."""
        if not self.docks.crowded[first_hub:end_hub].any():
            return
        self.make_room()
        carrier, now_s, rows = int(self.plan.hub_carrier[first_hub]), self.env.now, self.ledger.rows
        convoys, emptied = self.convoys[carrier], self._emptied[carrier]
        trips = let_in(first_hub, end_hub, now_s, self.weight, rows, self.hubs, self.docks, convoys, emptied)
        self._trips[carrier] = trips
        self._turn_back(range(carrier, carrier + 1))

    def unload_all(self) -> None:
        """Unload what waits for all hubs, which have been advanced, while there is room."""
        if not self.docks.crowded.any():
            return
        self.make_room()
        now_s, rows = self.env.now, self.ledger.rows
        let_all_in(
            self._first_hub, now_s, self.weight, rows, self.hubs, self.docks, self.convoys, self._emptied, self._trips
        )
        self._turn_back(range(self._trips.size))

    def bring(self, onward: Integers, here: Integers, truck_parcels: float) -> None:
        """Everyday parcels, for other hubs and for here, int64[hubs], get to the docks of all hubs, which have been advanced."""
        self.make_room(self._most_hubs)
        bring_all(self.env.now, self._first_hub, onward, here, truck_parcels, self.docks, self.convoys)

    def on_vehicles(self, state: int, *, vans: bool = True, trips: bool = True) -> dict[str, int]:
        """Rows and everyday parcels on vehicles in some state: COMING, DOCKING or WAITING."""
        found = {"rows": 0, "everyday": 0}
        for convoys in self.convoys:
            own = convoys[1:][convoys["state"][1:] == state]
            own = own[np.where(own["trip"] >= 0, trips, vans)]
            found["rows"] += int(own["rows"].sum())
            found["everyday"] += int((own["onward"] + own["here"]).sum())
        return found

    def stamp(self) -> None:
        """Write down in the rows what is unloaded and not sorted yet, for whoever reads them; all hubs have been advanced."""
        stamp_unloaded(self.routes, self.ledger.rows, self.hubs)

    def follow(self, outlook: Outlook) -> None:
        """Go by a forecast from now on; all hubs have been advanced."""
        self.held = outlook.held
        self._forecast_lane = outlook.next_lane
        self.go_around()

    def go_around(self) -> None:
        """Choose the way of what is sorted from now on: around the lanes to avoid, else as the last forecast said."""
        usual = self.plan.routes.next_lane if self._forecast_lane is None else self._forecast_lane
        self.routes = self.routes._replace(next_lane=self.way_around(self.avoided) if self.avoided.any() else usual)


def make_yard(
    env: simpy.Environment, parcels: ParcelsParams, plan: Plan, ledger: Ledger, *, weight: float, seed: int
) -> Yard:
    """An empty yard of a plan."""
    count, outlets, closed = plan.hub_city.size, plan.couriers.size, np.zeros(plan.lane_km.size, np.bool_)
    hubs = Hubs(
        hour_parcels=plan.hour_parcels,
        storage_parcels=plan.storage_parcels.copy(),
        free_s=np.zeros(count),
        came_s=np.zeros(count),
        stored=np.zeros(count, np.int64),
        arrived=np.zeros(count, np.int64),
        sorted=np.zeros(count, np.int64),
        departed=np.zeros(count, np.int64),
        unsorted=empty_queues(count),
        lanes=empty_queues(plan.lane_km.size),
        lane_g=np.zeros(plan.lane_km.size, np.int64),
        delivery=empty_queues(outlets),
        everyday=no_everyday(count),
    )
    return Yard(
        env=env,
        weight=weight,
        plan=plan,
        ledger=ledger,
        hubs=hubs,
        outlets=make_outlets(parcels, plan, seed),
        docks=empty_docks(closed, plan.gate_s),
        convoys=convoys_of(len(plan.hubs), _PLACES),
        trips=Trips(),
        held=np.zeros(plan.lane_km.size, np.bool_),
        routes=plan.routes,
        closed=closed,
        pace=np.ones(plan.lane_km.size),
        avoided=np.zeros(plan.lane_km.size, np.bool_),
        way_around=partial(way_around, plan, HOUR_S / parcels.truck.speed_kmh),
    )
