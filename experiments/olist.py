"""A public order table, in the layout of Olist's, as the tables of a run and as files of own data.

Question: how did real parcels fare, in the same tables and care lists as the simulated ones?
Run:      peakday olist orders.csv day_zero=2017-11-24 output=real
Reads:    FILE, a CSV or Parquet table with a row an order
Writes:   OUTPUT/ with kpis.json and tables/ for `peakday track OUTPUT`, orders.csv and places.csv for `peakday run data.orders=`
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from sim.params import Params

HELP = "a public order table as a run's tables, and as orders to play back"

_TEXT = """Reads an order table in the layout of Olist's public one, joined to a row an order: order_id,
order_purchase_timestamp, order_delivered_carrier_date, order_delivered_customer_date, customer_city, customer_state,
seller_city and seller_state; if there are any order_approved_at, order_estimated_delivery_date, seller_id,
customer_unique_id and price.
docs/own_data.md says what becomes of them."""

_NAMES = """parameters:
  day_zero=2017-11-24  the day of t = 0; earlier orders are left out
  output=DIR           a new folder for the tables and files"""


class OlistParams(Params):
    """Parameters of the question."""

    day_zero: str
    output: str = Field(min_length=1)


def main(arguments: Sequence[str]) -> int:
    """Import; the exit status is 0 when everything is written."""
    from experiments.arguments import with_units
    from experiments.options import parse, parser
    from sim import metrics, store
    from sim.own_data.olist import read_olist
    from sim.params import ParameterError, build
    from sim.params.data import DataParams

    options = parser("olist", "FILE ", _TEXT, _NAMES).parse_intermixed_args(arguments)
    files = [word for word in options.overrides if "=" not in word]
    params = parse(OlistParams, [word for word in options.overrides if "=" in word])
    if options.cfg:
        print(with_units(params.model_dump()))
        return 0
    if len(files) != 1:
        raise ParameterError([f"peakday olist takes one file, got {' '.join(files) or 'none'}"])
    build(DataParams, {"day_zero": params.day_zero})
    found = read_olist(files[0], params.day_zero)
    tables = found.tables | metrics.missing_summaries(found.tables)
    kpis = metrics.kpis(
        tables, scale=1.0, seed=0, wall_s=0.0, peak_rss_bytes=0, shoppers=found.orders["shopper"].nunique()
    )
    directory = Path(params.output)
    with store.new_folder(directory) as partial:
        about = {"data": {"day_zero": params.day_zero, "orders": files[0]}, "late_share": found.late_share}
        store.write_result(partial, store.Result(store.plain(kpis), tables, store.plain(about), {}, None))
        found.orders.to_csv(partial / "orders.csv", index=False)
        found.places.to_csv(partial / "places.csv", index=False)
    late = (
        "" if found.late_share != found.late_share else f"; {100 * found.late_share:.1f} % of them later than estimated"
    )
    print(f"{kpis['parcels']:,} parcels, {kpis['parcels_signed']:,} delivered{late}")
    print(
        f"{directory}: peakday track {directory} at='day 3'; peakday run site=off scale=1 data.orders={directory}/orders.csv"
    )
    return 0
