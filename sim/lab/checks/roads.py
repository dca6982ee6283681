"""A truck drives a thousand kilometres through weather: check E6."""

from sim.lab.checks.check import Check, Measures
from sim.lab.roads import road

DISTANCE_KM = 1000.0
SPEED_KMH = 80.0


def way(weather: str, slower_share: float, first_hours: int, hours: int) -> Check:
    """Weather that slows all of the way by a share, from hour `first_hours` of the trip on."""

    def expected(load: float) -> Measures:
        dry_km = min(first_hours * SPEED_KMH / load, DISTANCE_KM)
        return {"hours": dry_km * load / SPEED_KMH + (DISTANCE_KM - dry_km) * load / (SPEED_KMH * (1 - slower_share))}

    def simulate(seed: int, share: float, load: float) -> Measures:
        slower = [0.0] * first_hours + [slower_share] * hours
        vehicles = road(distance_km=DISTANCE_KM, speed_kmh=SPEED_KMH / load, slower_share=slower)
        return {"hours": float(vehicles["travel_h"].iloc[0])}

    return Check("E6", f"{DISTANCE_KM:g} km at {SPEED_KMH:g} km/h, {weather}", expected, simulate, "3 % slower")


CHECKS = (
    way("dry", 0.0, 0, 0),
    way("heavy rain, 5.5 % slower", 0.055, 0, 48),
    way("heavy snow, 13 % slower", 0.13, 0, 48),
    way("heavy snow from the 6th hour on", 0.13, 6, 48),
)
