"""Weather on the roads: what moves over the map, how much slower one drives in it, and how well it is foreseen."""

import itertools
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sim.params.base import Params, RuleError

Share = Annotated[float, Field(ge=0, le=1)]


class RateStep(Params):
    """From so much rain or snow on, this share of the dry speed; 0: closed."""

    from_mm_per_h: float = Field(gt=0)
    speed_share: Share


class SightStep(Params):
    """With less sight than this, this share of the dry speed; 0: closed."""

    below_m: float = Field(gt=0)
    speed_share: Share


class ResponseParams(Params):
    """Speed on a road by weather. Of several causes the worst counts alone."""

    rain: tuple[RateStep, ...]
    snow: tuple[RateStep, ...]
    sight: tuple[SightStep, ...]

    @model_validator(mode="after")
    def _worse_weather_is_slower(self) -> "ResponseParams":
        problems = []
        for name in ("rain", "snow", "sight"):
            steps = getattr(self, name)
            worse = sorted(steps, key=lambda step: -step.below_m if name == "sight" else step.from_mm_per_h)
            if any(later.speed_share > earlier.speed_share for earlier, later in itertools.pairwise(worse)):
                problems.append(f"{name} must not be faster in worse weather")
        if problems:
            raise RuleError(problems)
        return self


class FrontParams(Params):
    """A front that crosses the map in a straight line.

    At `start_h` after t = 0 its middle is at the place given; it moves towards `heading_deg` (0 north, 90 east) at `speed_kmh`
    and is gone after `duration_h`. It is `width_km` deep and `length_km` broad; from the middle to its edges it thins out to
    nothing.
    """

    start_h: float
    duration_h: float = Field(gt=0)
    longitude_deg: Annotated[float, Field(ge=-180, le=180)]
    latitude_deg: Annotated[float, Field(gt=-90, lt=90)]
    heading_deg: Annotated[float, Field(ge=0, lt=360)]
    speed_kmh: float = Field(ge=0)
    width_km: float = Field(gt=0)
    length_km: float = Field(gt=0)


class WetFrontParams(FrontParams):
    """Rain or snow. Snow is measured as the depth of what has fallen."""

    kind: Literal["rain", "snow"]
    peak_mm_per_h: float = Field(gt=0)


class FogFrontParams(FrontParams):
    """Fog, smog or a sandstorm: `sight_m` in its middle."""

    kind: Literal["fog"]
    sight_m: float = Field(gt=0)


class ObservationsParams(Params):
    """Observed weather: a CSV of cities and hours. It holds for every road within `radius_km` of the nearest city observed."""

    file: str
    radius_km: float = Field(gt=0)


class ForecastParams(Params):
    """What dispatch is told. A forecast knows what comes; when it comes is off by an error that grows with the lead time.

    Every `issue_h` hours there is a new one, for the next `horizon_h` hours. The error of when is normal; its standard
    deviation is `error_share` of the lead time. A lane that is forecast to take `hold_h` hours longer than dry is not served
    until a later forecast says otherwise. What it bars goes the way that is forecast to be the quickest, on which every hub in
    between counts `transfer_h`.
    """

    issue_h: int = Field(gt=0)
    horizon_h: int = Field(gt=0)
    error_share: float = Field(ge=0)
    hold_h: float = Field(gt=0)
    transfer_h: float = Field(ge=0)


class WeatherParams(Params):
    """The weather of a run; `forecast` null: dispatch does not look at it."""

    response: ResponseParams
    fronts: tuple[Annotated[WetFrontParams | FogFrontParams, Field(discriminator="kind")], ...]
    observations: ObservationsParams | None
    forecast: ForecastParams | None
