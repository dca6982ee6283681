"""Parameters of the access links: what stands between the site and its shoppers."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.params.base import Params, RuleError, hint

Channel = Literal["pc", "wireless"]
CHANNELS: tuple[Channel, ...] = ("pc", "wireless")
Positive = Annotated[float, Field(gt=0)]
ByChannel = dict[Channel, Positive]


class LinksParams(Params):
    """One link for each region and channel; its pages share it fairly, none faster than the shopper's own line."""

    gbit_per_s: dict[str, ByChannel]  # bandwidth of the whole site's link
    times: dict[str, Positive]  # what-if: the bandwidth of a region or of a channel times so much
    line_mbit_per_s: ByChannel  # most that one shopper's line carries
    page_kbyte: dict[str, ByChannel]  # size of an answered page

    @model_validator(mode="after")
    def _every_channel_has_its_numbers(self) -> Self:
        tables = {"line_mbit_per_s": self.line_mbit_per_s}
        tables |= {f"gbit_per_s.{region}": row for region, row in self.gbit_per_s.items()}
        tables |= {f"page_kbyte.{page}": row for page, row in self.page_kbyte.items()}
        problems = [
            f"{path}.{channel} is missing" for path, row in tables.items() for channel in CHANNELS if channel not in row
        ]
        known = [*self.gbit_per_s, *CHANNELS]
        for name in self.times:
            if name not in known:
                problems.append(f"times.{name} is neither a region nor a channel{hint(name, known)}")
        if problems:
            raise RuleError(problems)
        return self

    def bandwidth_bit_per_s(self, region: str, channel: Channel) -> float:
        """Bandwidth of one link of the whole site, what-ifs included."""
        factor = self.times.get(region, 1.0) * self.times.get(channel, 1.0)
        return 1e9 * self.gbit_per_s[region][channel] * factor
