"""The time axis, the units and the clock labels.

t = 0 is 00:00:00 Beijing time on the festival day, 11 November. Inside the model a number is in seconds, parcels, kilometres,
kilograms or RMB, and its name says which; this module is the one place that reads those names and writes times for people.
"""

import datetime
from contextlib import suppress

MINUTE_S = 60.0
HOUR_S = 3600.0
DAY_S = 86400.0
FESTIVAL_DAY_OF_NOVEMBER = 11

_UNITS = {
    "_per_s": "1/s",
    "_per_h": "1/h",
    "_kmh": "km/h",
    "_mm_per_h": "mm/h",
    "_m": "m",
    "_km": "km",
    "_kg": "kg",
    "_dm3_per_kg": "dm3/kg",
    "_m3": "m3",
    "_rmb_per_kg": "RMB/kg",
    "_rmb_per_km": "RMB/km",
    "_rmb_per_h": "RMB/h",
    "_rmb": "RMB",
    "_s": "s",
    "_h": "h",
    "_days": "d",
    "_day": "1/d",
    "_share": "share",
    "_parcels": "parcels",
    "_bytes": "B",
    "_deg": "degrees",
}
_LONGEST_FIRST = sorted(_UNITS, key=len, reverse=True)


def unit_of(name: str) -> str | None:
    """Unit that the suffix of a parameter's or column's name stands for, or None when the name carries none."""
    for suffix in _LONGEST_FIRST:
        if name.endswith(suffix) or name == suffix[1:]:
            return _UNITS[suffix]
    return None


def seconds(clock: str) -> float:
    """Seconds since midnight of a clock label: "02:19" -> 8340.0, "00:00:55" -> 55.0, "24:00" -> 86400.0.

    Raises
    ------
    ValueError
        When the label is not HH:MM or HH:MM:SS.
    """
    fields = clock.split(":")
    if len(fields) not in (2, 3) or not all(field.isdigit() and len(field) == 2 for field in fields):
        raise ValueError(f"a clock label is HH:MM or HH:MM:SS, got {clock!r}")
    hours, minutes, secs = (int(field) for field in [*fields, "00"][:3])
    if minutes > 59 or secs > 59:
        raise ValueError(f"minutes and seconds of a clock label are at most 59, got {clock!r}")
    return hours * HOUR_S + minutes * MINUTE_S + secs


def instant(label: str) -> float:
    """Time on the axis of a label: "2012-11-11T23:59" -> 86340.0, "23:59" (of the festival day) -> 86340.0, "600" -> 600.0.

    Raises
    ------
    ValueError
        When the label is neither a date of November or December with a clock, nor a clock, nor a number of seconds.
    """
    with suppress(ValueError):
        return float(label)
    date, _, time = label.rpartition("T")
    if not date:
        return seconds(time)
    try:
        year = int(date[:4])
        day = (datetime.date.fromisoformat(date) - datetime.date(year, 11, FESTIVAL_DAY_OF_NOVEMBER)).days
    except ValueError:
        raise ValueError(f"a date is YYYY-MM-DD, got {date!r}") from None
    return day * DAY_S + seconds(time)


def clock(time_s: float) -> str:
    """Date and clock of a time on the axis: 8340.0 -> "11 Nov 02:19:00"."""
    whole_days, rest_s = divmod(time_s, DAY_S)
    hours, rest_s = divmod(rest_s, HOUR_S)
    minutes, secs = divmod(rest_s, MINUTE_S)
    return f"{day_label(int(whole_days))} {int(hours):02d}:{int(minutes):02d}:{int(secs):02d}"


def day_label(day: int) -> str:
    """Calendar label of a day counted from the festival day: 0 -> "11 Nov", 20 -> "1 Dec"."""
    day_of_november = FESTIVAL_DAY_OF_NOVEMBER + day
    return f"{day_of_november} Nov" if day_of_november <= 30 else f"{day_of_november - 30} Dec"
