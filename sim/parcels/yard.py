"""What all carriers' processes share: rows, hubs, outlets, the plan and the records."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import simpy
from numpy.typing import NDArray

from sim.kernels.convoys import EMPTIED, Docks, empty_convoys, empty_docks, with_more
from sim.kernels.everyday import no_everyday
from sim.kernels.hub import Hubs, Routes, advance, let_in, stamp_unloaded
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

Convoys = NDArray[np.void]


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
    convoys: list[Convoys]  # by carrier
    trips: Trips
    held: NDArray[np.bool_]  # [lanes], not served because of a forecast
    routes: Routes  # the plan's, until a forecast or a detour changes them
    closed: NDArray[np.bool_]  # [lanes], on which no truck leaves or arrives
    pace: NDArray[np.float64]  # [lanes], share of the trucks' speed
    avoided: NDArray[np.bool_]  # [lanes], which what is sorted goes around
    way_around: Callable[[NDArray[np.bool_]], NDArray[np.int32]]  # lanes to avoid -> next lane between any two hubs
    emptied: list[NDArray[np.void]]  # by carrier, work space
    turn_back: list[Callable[[NDArray[np.void]], None]] = field(default_factory=list)  # by carrier: EMPTIED[n]
    lost: int = 0
    signed: int = 0
    sent_back: int = 0
    returned: int = 0  # back at their merchants, or on the van there
    _forecast_lane: NDArray[np.int32] | None = None

    def advance(self, carrier: int) -> None:
        """Let a carrier's hubs do everything before now; vehicles that arrive at this very instant come in as well."""
        self.note(carrier, *self.sort(carrier, self.env.now))

    def sort(self, carrier: int, through_s: float) -> tuple[int, int]:
        """Advance the hubs of a carrier, and touch nobody else's; their vehicles through `through_s`, now or just before.

        Returns the rows found to be lost and the trips in `emptied`, for `note`.
        """
        hubs, ledger = self.plan.hubs[carrier], self.ledger
        convoys = self.with_room(carrier, len(hubs))
        lost, trips = advance(
            hubs.start,
            hubs.stop,
            self.env.now,
            through_s,
            self.weight,
            ledger.orders.origin,
            self.routes,
            ledger.rows,
            self.hubs,
            self.docks,
            convoys,
            self.emptied[carrier],
        )
        return lost, trips

    def note(self, carrier: int, lost: int, trips: int) -> None:
        """Write down what the hubs of a carrier have done: rows lost, and trips in `emptied`, whose trucks drive back."""
        self.lost += lost
        if trips:
            self.turn_back[carrier](self.emptied[carrier][:trips])

    def with_room(self, carrier: int, more: int) -> Convoys:
        """The convoys of a carrier, with room for `more` and for one beside each that there is: what may be split off it."""
        convoys = self.convoys[carrier]
        free = int(convoys["rows"][0])
        missing = convoys.size - 2 * free + more
        if missing > 0:
            convoys = self.convoys[carrier] = with_more(convoys, convoys.size + missing)
            self.emptied[carrier] = np.empty(convoys.size, EMPTIED)
        return convoys

    def unload(self, first_hub: int, end_hub: int) -> None:
        """Unload what waits for some hubs of one carrier, which have been advanced, while there is room."""
        if not self.docks.crowded[first_hub:end_hub].any():
            return
        carrier = int(self.plan.hub_carrier[first_hub])
        convoys, emptied = self.with_room(carrier, end_hub - first_hub), self.emptied[carrier]
        rows, now_s = self.ledger.rows, self.env.now
        self.note(
            carrier, 0, let_in(first_hub, end_hub, now_s, self.weight, rows, self.hubs, self.docks, convoys, emptied)
        )

    def unload_all(self) -> None:
        """Unload what waits for all hubs, which have been advanced, while there is room."""
        if self.docks.crowded.any():
            for hubs in self.plan.hubs:
                self.unload(hubs.start, hubs.stop)

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
        convoys=[empty_convoys(_PLACES) for _ in plan.hubs],
        trips=Trips(),
        held=np.zeros(plan.lane_km.size, np.bool_),
        routes=plan.routes,
        closed=closed,
        pace=np.ones(plan.lane_km.size),
        avoided=np.zeros(plan.lane_km.size, np.bool_),
        way_around=partial(way_around, plan, HOUR_S / parcels.truck.speed_kmh),
        emptied=[np.empty(1 + _PLACES, EMPTIED) for _ in plan.hubs],
    )
