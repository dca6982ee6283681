"""Schemas of the tables of the road: parcels, hubs, vehicles, merchants, carriers, weather, and what is counted of them."""

from sim.records.schema import Column, Schema

PARCELS: Schema = {
    "parcel": Column("int64", "", "row number, in order of creation; the row stands for 1/scale parcels"),
    "shopper": Column("int64", "", "the shopper's id"),
    "orders": Column("int16", "orders", "orders packed together in it"),
    "merchant": Column("int32", "", "the merchant's rank by size, from 0"),
    "carrier": Column("category", "", "carrier"),
    "origin": Column("category", "", "city it is shipped from"),
    "destination": Column("category", "", "city it is shipped to"),
    "category": Column("category", "", "what is in it: the merchant's category"),
    "items": Column("uint8", "items", "items in one parcel"),
    "weight_kg": Column("float32", "kg", "weight of one parcel"),
    "created_s": Column("float64", "s", "order paid, parcel due at the merchant's warehouse"),
    "packed_s": Column("float64", "s", "picked, packed and ready at the merchant's door"),
    "picked_up_s": Column("float64", "s", "taken by the carrier's pickup outlet"),
    "origin_hub_s": Column("float64", "s", "unloaded into the origin hub"),
    "departed_s": Column(
        "float64", "s", "left the origin hub by line-haul; NaN also when origin and destination hub are one"
    ),
    "destination_hub_s": Column("float64", "s", "unloaded into the destination hub"),
    "outlet_s": Column("float64", "s", "arrived at the delivery outlet"),
    "out_s": Column("float64", "s", "out for delivery, last attempt so far; also of what then waits in a locker"),
    "sent_back_s": Column("float64", "s", "sent back to the merchant: damaged on the way, or refused at the door"),
    "signed_s": Column("float64", "s", "signed by the customer"),
    "returned_s": Column("float64", "s", "back at the merchant's"),
    "lost_s": Column("float64", "s", "found to be lost"),
    "exception_s": Column("float64", "s", "the gravest thing that went wrong was noticed"),
    "exception": Column("category", "", "what it was: none, not at home, wrong address, refused, damaged, lost"),
    "attempts": Column("int8", "attempts", "delivery attempts so far"),
}

HUB_HOURS: Schema = {
    "hour": Column("int32", "h", "hour that ends the interval, counted from t = 0"),
    "carrier": Column("category", "", "carrier"),
    "hub": Column("category", "", "city of the hub"),
    "arrived_parcels": Column("float64", "parcels", "parcels unloaded in the hour"),
    "everyday_arrived_parcels": Column("float64", "parcels", "of these, everyday ones"),
    "sorted_parcels": Column("float64", "parcels", "parcels sorted in the hour"),
    "everyday_sorted_parcels": Column("float64", "parcels", "of these, everyday ones"),
    "departed_parcels": Column("float64", "parcels", "parcels that left in the hour"),
    "everyday_departed_parcels": Column("float64", "parcels", "of these, everyday ones"),
    "backlog_parcels": Column("float64", "parcels", "parcels in the hub at the hour's end"),
    "everyday_backlog_parcels": Column("float64", "parcels", "of these, everyday ones"),
    "gate_parcels": Column("float64", "parcels", "parcels on vehicles that wait at its gate at the hour's end"),
    "everyday_gate_parcels": Column("float64", "parcels", "of these, everyday ones"),
    "gate_vehicles": Column("int32", "vehicles", "vehicles that wait at its gate at the hour's end"),
    "overflow": Column("bool", "", "vehicles had to wait at the gate for storage at the hour's end"),
}

TRIPS: Schema = {
    "trip": Column("int64", "", "row number, in order of departure"),
    "carrier": Column("category", "", "carrier"),
    "vehicle": Column("category", "", "own truck, hired truck or train"),
    "vehicles": Column("int32", "vehicles", "how many of them drove together"),
    "origin": Column("category", "", "city of departure"),
    "destination": Column("category", "", "city of arrival"),
    "depart_s": Column("float64", "s", "departure"),
    "arrive_s": Column("float64", "s", "arrival at the gate"),
    "unloaded_s": Column("float64", "s", "unloaded; later than the arrival when the hub was full"),
    "back_s": Column("float64", "s", "back at its hub, empty and free; NaN for trains"),
    "load_parcels": Column("float64", "parcels", "parcels on board"),
    "load_kg": Column("float64", "kg", "their weight"),
    "capacity_parcels": Column("float64", "parcels", "what the vehicles hold together"),
    "capacity_kg": Column("float64", "kg", "what the vehicles may carry together"),
    "distance_km": Column("float64", "km", "length of the way"),
    "cost_rmb": Column("float64", "RMB", "cost of the trip"),
}

HUBS: Schema = {
    "carrier": Column("category", "", "carrier"),
    "hub": Column("category", "", "city of the hub"),
    "longitude": Column("float64", "degrees", "east"),
    "latitude": Column("float64", "degrees", "north"),
    "storage_parcels": Column("float64", "parcels", "storage limit"),
    "sort_per_h": Column("float64", "parcels/h", "sort rate"),
}

MERCHANTS: Schema = {
    "merchant": Column("int64", "", "rank by size, from 0"),
    "city": Column("category", "", "city of its warehouse"),
    "category": Column("category", "", "what it sells"),
    "carrier": Column("category", "", "the carrier that it prefers"),
    "size_share": Column("float64", "share", "its share of all orders that it may expect"),
    "hands": Column("float64", "people", "its own staff that picks, packs and labels"),
    "parcels": Column("float64", "parcels", "parcels ordered"),
    "packed_parcels": Column("float64", "parcels", "of these, packed"),
    "picked_up_parcels": Column("float64", "parcels", "of these, picked up by a carrier"),
    "kept_parcels": Column("float64", "parcels", "of these, picked up in the time that the merchant had promised"),
    "forward_parcels": Column("float64", "parcels", "of its parcels, those sent from a regional warehouse"),
    "last_packed_s": Column("float64", "s", "when its latest parcel was packed"),
    "postage_rmb": Column("float64", "RMB", "what the carriers charge for the parcels picked up"),
}

STOCK: Schema = {
    "place": Column("category", "", "city of the regional warehouse"),
    "category": Column("category", "", "category of goods"),
    "placed_items": Column("float64", "items", "placed there before the day"),
    "replenished_items": Column("float64", "items", "came later"),
    "coming_items": Column("float64", "items", "on the way there"),
    "shipped_items": Column("float64", "items", "sent to customers"),
    "left_items": Column("float64", "items", "left"),
    "missed_items": Column("float64", "items", "asked for when too little was left, and sent by the merchants"),
    "saved_km": Column("float64", "parcel-km", "way by road that is shorter than from the merchants, over all parcels"),
}

CARRIERS: Schema = {
    "carrier": Column("category", "", "carrier"),
    "pickup_per_day": Column("float64", "1/d", "parcels that it picks up in a day at most; NaN: no limit"),
    "parcel_rmb": Column("float64", "RMB", "price of a parcel"),
    "kg_rmb": Column("float64", "RMB/kg", "price of a kilogram on top"),
    "picked_up_parcels": Column("float64", "parcels", "parcels picked up"),
    "refused_parcels": Column("float64", "parcels", "parcels that it had no room for, each counted once"),
    "switched_parcels": Column("float64", "parcels", "of these, handed to another carrier"),
    "postage_rmb": Column("float64", "RMB", "what it charges for the parcels picked up"),
}

CITIES: Schema = {
    "city": Column("category", "", "name"),
    "province": Column("category", "", "province"),
    "longitude": Column("float64", "degrees", "east"),
    "latitude": Column("float64", "degrees", "north"),
    "population": Column("int64", "people", "population"),
}

FLEETS: Schema = {
    "carrier": Column("category", "", "carrier"),
    "vehicle": Column("category", "", "own truck or hired truck"),
    "vehicles": Column("int32", "vehicles", "how many of them it has"),
}

AREAS: Schema = {
    "carrier": Column("category", "", "carrier"),
    "city": Column("category", "", "name of the city"),
    "hub": Column("category", "", "city of the carrier's hub that serves it"),
}

ROAD_HOURS: Schema = {
    "hour": Column("int32", "h", "hour that begins, counted from t = 0"),
    "slow_km": Column("float64", "km", "roads on which weather slows vehicles"),
    "closed_km": Column("float64", "km", "roads that weather closes"),
    "held_lanes": Column("int32", "lanes", "lanes without trucks because of a forecast, all carriers"),
}

LANE_WEATHER: Schema = {
    "hour": Column("int32", "h", "hour that begins, counted from t = 0"),
    "carrier": Column("category", "", "carrier"),
    "origin": Column("category", "", "city of a hub"),
    "destination": Column("category", "", "city of another hub of the carrier"),
    "speed_share": Column(
        "float64", "share", "speed on the slowest lane of the usual way, of that on dry roads; 0: closed somewhere"
    ),
}

NATIONAL_DAYS: Schema = {
    "day": Column("int32", "d", "day counted from 11 November"),
    "festival_parcels": Column("float64", "parcels", "the festival's parcels that carriers picked up on the day"),
    "everyday_parcels": Column("float64", "parcels", "all others that the country's carriers picked up on the day"),
    "everyday_delivered_parcels": Column("float64", "parcels", "everyday parcels that left the last hub on the day"),
}

PARCEL_HOURS: Schema = {
    "hour": Column("int32", "h", "instant, counted from t = 0"),
    "carrier": Column("category", "", "carrier"),
    "state": Column("category", "", "what the parcels have come to by then, see `sim.metrics.stages`"),
    "parcels": Column("int64", "parcels", "rows of `parcels` in this state at the instant"),
}

PARCEL_MOVES: Schema = {
    "day": Column("int32", "d", "day counted from t = 0, at whose end the parcels have come to `after`"),
    "before": Column("category", "", "state at the day's begin, or not ordered"),
    "after": Column("category", "", "state at its end"),
    "parcels": Column("int64", "parcels", "rows of `parcels` that went from one to the other, or stayed"),
}

LEAD_TIMES: Schema = {
    "carrier": Column("category", "", "carrier"),
    "distance": Column("category", "", "band of the great-circle distance between origin and destination"),
    "within_h": Column("float64", "h", "upper edge of the quarter of an hour from order to signed; NaN: not signed"),
    "parcels": Column("int64", "parcels", "rows of `parcels` in this bin"),
}

TRACKING: Schema = {
    "time_s": Column("float64", "s", "as of this instant"),
    "by": Column("category", "", "carrier, merchant, lane, city or province"),
    "group": Column("category", "", "which one; a lane is named after its carrier and the hubs at its ends"),
    "parcels": Column("int64", "parcels", "rows of `parcels` ordered by then; the following counts are among them"),
    "picked_up": Column("int64", "parcels", "picked up by the carrier"),
    "in_transit": Column("int64", "parcels", "picked up, and neither signed nor otherwise at their end"),
    "signed": Column("int64", "parcels", "signed by the customer"),
    "exceptions": Column("int64", "parcels", "something went wrong with them"),
    "not_shipped": Column("int64", "parcels", "not picked up, though ordered more than three days before"),
    "long_in_transit": Column("int64", "parcels", "in transit for more than four days"),
    "just_signed": Column("int64", "parcels", "signed in the last 24 hours"),
}
