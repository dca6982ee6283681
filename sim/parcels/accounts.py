"""What merchants, carriers and warehouses look back on: the tables `merchants`, `carriers` and `stock`."""

import numpy as np
import pandas as pd

from sim.geography import Geography
from sim.kernels.accounts import Books, empty_books, keep_books
from sim.kernels.rows import NOT_YET, TICKS_PER_S
from sim.params.orders import OrdersParams
from sim.params.parcels import ParcelsParams
from sim.parcels.ledger import Ledger
from sim.parcels.stock import Replenishment
from sim.records import TABLES, table
from sim.units import HOUR_S


class Accounts:
    """Reads the ledger of a run; what carriers charge and merchants promise is in the parameters."""

    def __init__(self, ledger: Ledger, parcels: ParcelsParams, orders: OrdersParams, geography: Geography) -> None:
        self._ledger = ledger
        self._carriers = parcels.carriers
        self._promise_s = orders.warehouse.promise_h * HOUR_S
        self._geography = geography

    def tables(self, now_s: float, weight: float, warehouses: Replenishment | None) -> dict[str, pd.DataFrame]:
        """Tables `merchants`, `carriers` and `stock` as of now, in real parcels: `weight` a row."""
        carriers = self._carriers.values()
        market = self._ledger.merchants.market
        books = empty_books(market.merchant_city.size, len(carriers))
        keep_books(
            self._ledger.created,
            now_s,
            self._promise_s,
            market.merchant_city,
            np.array([carrier.parcel_rmb for carrier in carriers]),
            np.array([carrier.kg_rmb for carrier in carriers]),
            self._ledger.rows,
            self._ledger.orders,
            books,
        )
        return {
            "merchants": self._merchants_table(books, weight),
            "carriers": self._carriers_table(books, weight),
            "stock": self._stock_table(warehouses),
        }

    def _stock_table(self, warehouses: Replenishment | None) -> pd.DataFrame:
        """By place, then category; empty when nobody stocks forward."""
        if warehouses is None:
            return table("stock", {name: [] for name in TABLES["stock"]})
        placement, categories = warehouses.placement, self._ledger.merchants.categories
        places = placement.outlook.places
        columns = {
            "placed_items": placement.placed,
            "replenished_items": warehouses.replenished,
            "coming_items": warehouses.coming,
            "shipped_items": placement.stock.shipped,
            "left_items": placement.stock.left,
            "missed_items": placement.stock.missed,
            "saved_km": placement.stock.spared_km,
        }
        return table(
            "stock",
            {
                "place": np.repeat(places, len(categories)),
                "category": np.tile(categories, len(places)),
                **{name: values.T.reshape(-1) for name, values in columns.items()},
            },
        )

    def _merchants_table(self, books: Books, weight: float) -> pd.DataFrame:
        merchants = self._ledger.merchants
        market = merchants.market
        last_packed_s = np.where(books.last_packed == NOT_YET, np.nan, books.last_packed / TICKS_PER_S)
        names = pd.Index(list(self._carriers))
        return table(
            "merchants",
            {
                "merchant": np.arange(market.merchant_city.size),
                "city": pd.Categorical.from_codes(market.merchant_city, pd.Index(self._geography.name.tolist())),
                "category": pd.Categorical.from_codes(market.merchant_category, pd.Index(merchants.categories)),
                "carrier": pd.Categorical.from_codes(market.merchant_carrier, names),
                "size_share": merchants.size_share,
                "hands": merchants.hands,
                "parcels": books.rows * weight,
                "packed_parcels": books.packed * weight,
                "picked_up_parcels": books.picked_up * weight,
                "kept_parcels": books.kept * weight,
                "forward_parcels": books.forward * weight,
                "last_packed_s": last_packed_s,
                "postage_rmb": books.postage_rmb * weight,
            },
        )

    def _carriers_table(self, books: Books, weight: float) -> pd.DataFrame:
        carriers, ledger = self._carriers.values(), self._ledger
        return table(
            "carriers",
            {
                "carrier": pd.Categorical.from_codes(np.arange(len(carriers)), pd.Index(list(self._carriers))),
                "pickup_per_day": [np.nan if one.pickup_per_day is None else one.pickup_per_day for one in carriers],
                "parcel_rmb": [one.parcel_rmb for one in carriers],
                "kg_rmb": [one.kg_rmb for one in carriers],
                "picked_up_parcels": books.carrier_rows * weight,
                "refused_parcels": ledger.refused * weight,
                "switched_parcels": ledger.switched * weight,
                "postage_rmb": books.carrier_rmb * weight,
            },
        )
