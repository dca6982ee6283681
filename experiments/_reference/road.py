"""The road of the plain SimPy model: a process drives piece by piece, to whatever happens next."""

import math
from collections.abc import Generator
from typing import Any

import simpy
from simpy.events import URGENT

from experiments._reference.places import at
from sim.kernels.road import Crew, Roads
from sim.units import HOUR_S

Process = Generator[simpy.Event, Any, None]
RESTLESS = Crew(math.inf, 0.0, math.inf, 0.0)


class Road:
    """Drives the ways of a plan."""

    def __init__(self, env: simpy.Environment, roads: Roads) -> None:
        self.env = env
        self.first = roads.way_first.tolist()
        self.link = roads.way_link.tolist()
        self.km = roads.link_km.tolist()
        self.speed_share = roads.speed_share.tolist()

    def drive(
        self, way: int, speed_kmh: float, crew: Crew, *, back: bool, fails_km: float = math.inf, repair_s: float = 0.0
    ) -> Process:
        """Drive a way; on the way, events come before those of everybody else at the same instant."""
        env = self.env
        s_per_km = HOUR_S / speed_kmh
        wheel_s, shift_s, whole_s = crew.wheel_s, crew.shift_s, fails_km * s_per_km
        links = self.link[self.first[way] : self.first[way + 1]]
        for link in reversed(links) if back else links:
            left_s = self.km[link] * s_per_km
            while left_s > 0.0:
                hour = int(env.now // HOUR_S)
                forecast = self.speed_share[link]
                share, hour_end_s = (forecast[hour], (hour + 1.0) * HOUR_S) if hour < len(forecast) else (1.0, math.inf)
                if share == 0.0:
                    yield at(env, hour_end_s, URGENT)
                    continue
                to_end_s, to_hour_s, to_failure_s = left_s / share, hour_end_s - env.now, whole_s / share
                piece_s = min(to_end_s, to_failure_s, wheel_s, shift_s, to_hour_s)
                yield at(env, hour_end_s if piece_s == to_hour_s else env.now + piece_s, URGENT)
                left_s = 0.0 if piece_s == to_end_s else left_s - piece_s * share
                wheel_s, shift_s = wheel_s - piece_s, shift_s - piece_s
                if piece_s == to_failure_s:
                    yield at(env, env.now + repair_s, URGENT)
                    whole_s = math.inf
                else:
                    whole_s = max(whole_s - piece_s * share, 0.0)
                if shift_s == 0.0:
                    yield at(env, env.now + crew.sleep_s, URGENT)
                    shift_s, wheel_s = crew.shift_s, crew.wheel_s
                elif wheel_s == 0.0:
                    yield at(env, env.now + crew.stop_s, URGENT)
                    wheel_s = crew.wheel_s
