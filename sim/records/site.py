"""Schemas of the tables of the site: demand, services, links, machines, faults and plans, rehearsals, orders."""

from sim.records.schema import Column, Schema

DEMAND_SECONDS: Schema = {
    "second_s": Column("int32", "s", "start of the second"),
    "visitors": Column("int32", "shoppers", "shoppers who made their first request"),
    "requests": Column("int32", "requests", "page requests sent, retries included"),
    "retries": Column("int32", "requests", "of these, repeated after a rejection or a timeout"),
    "rejected": Column("int32", "requests", "answered with 'system busy'"),
    "timed_out": Column("int32", "requests", "given up by the client after its timeout"),
    "served": Column("int32", "requests", "pages answered"),
    "gave_up": Column("int32", "shoppers", "shoppers who left after their last try failed"),
    "orders": Column("int32", "orders", "orders paid"),
    "gmv_rmb": Column("float64", "RMB", "value of the orders paid"),
    "orders_lost": Column("int32", "orders", "orders that a shopper wanted and gave up on because the site failed"),
    "lost_rmb": Column("float64", "RMB", "value of the orders lost"),
}

SITE_SECONDS: Schema = {
    "second_s": Column("int32", "s", "start of the second"),
    "service": Column("category", "", "name of the service"),
    "arrivals": Column("int32", "requests", "requests that reached the service"),
    "served": Column("int32", "requests", "requests that it finished"),
    "rejected": Column("int32", "requests", "requests refused because its queue was full"),
    "timed_out": Column("int32", "requests", "requests that left its queue after the timeout"),
    "queue": Column("int32", "requests", "requests waiting at the end of the second, all cells"),
    "busy": Column("int32", "slots", "slots in use at the end of the second, all cells"),
    "in_flight": Column("int32", "requests", "requests waiting or served at the end of the second, all cells"),
    "retried": Column("int32", "requests", "of the arrivals, repeated after a rejection or a timeout"),
    "degraded": Column("int32", "requests", "of those that left, given the simpler answer of the degraded mode"),
}

LINK_SECONDS: Schema = {
    "second_s": Column("int32", "s", "start of the second"),
    "region": Column("category", "", "where the shoppers are"),
    "channel": Column("category", "", "pc or wireless"),
    "started": Column("int32", "pages", "answered pages that the site began to send"),
    "delivered": Column("int32", "pages", "pages that arrived whole"),
    "under_way": Column("int32", "pages", "pages on their way at the end of the second, all cells"),
    "delivered_gbit": Column("float64", "Gbit", "size of the pages that arrived"),
    "bandwidth_gbit_per_s": Column("float64", "Gbit/s", "bandwidth of the link at the run's scale"),
}

SHOPPER_MINUTES: Schema = {
    "minute": Column("int32", "min", "minute, counted from t = 0"),
    "region": Column("category", "", "where the shoppers are"),
    "channel": Column("category", "", "pc or wireless"),
    "requests": Column("int32", "requests", "page requests sent, retries included"),
    "answered": Column("int32", "requests", "pages answered"),
    "failed": Column("int32", "requests", "page requests that were rejected or timed out"),
    "gave_up": Column("int32", "shoppers", "shoppers who left after their last try failed"),
    "orders": Column("int32", "orders", "orders paid"),
    "orders_lost": Column("int32", "orders", "orders that a shopper wanted and gave up on because the site failed"),
    "page_s": Column("float64", "s", "time from request to answer, summed over the pages answered"),
}

SITE_CAPACITY: Schema = {
    "time_s": Column("float64", "s", "instant of the change"),
    "service": Column("category", "", "name of the service"),
    "machines": Column("float64", "machines", "machines from then on, at the run's scale before rounding"),
    "slots": Column("int32", "slots", "slots from then on, all cells, after rounding"),
}

MACHINES: Schema = {
    "time_s": Column("float64", "s", "instant of a change; numbers hold from then on"),
    "service": Column("category", "", "name of the service"),
    "slots_per_machine": Column("int32", "slots", "slots of one of its machines"),
    "ordered": Column(
        "int32", "machines", "machines ordered so far, of the real day at every scale, as all that follow"
    ),
    "booting": Column("int32", "machines", "machines ordered that do not run yet"),
    "warming": Column("int32", "machines", "machines that warm up and give a part of their slots"),
    "serving": Column("int32", "machines", "machines that serve"),
    "draining": Column("int32", "machines", "machines that finish what they have and take nothing new"),
    "failed": Column("int32", "machines", "machines so far whose boot failed"),
    "machine_h": Column("float64", "h", "machine hours so far, each machine from its order to its stop"),
    "cost_rmb": Column("float64", "RMB", "what they cost"),
}

LATENCY: Schema = {
    "minute": Column("int32", "min", "minute of the answer, counted from t = 0"),
    "page": Column("category", "", "name of the page"),
    "latency_s": Column("float64", "s", "upper edge of the histogram's bucket: request sent to page received"),
    "count": Column("int64", "requests", "pages answered in this bucket"),
}

CONTINGENCY: Schema = {
    "time_s": Column("float64", "s", "instant"),
    "who": Column("category", "", "fault or plan"),
    "what": Column("category", "", "struck, mended; detected, acted, undone, guard tripped"),
    "value": Column("float64", "", "severity of the fault, reading of the metric, or amount of the action"),
}

REHEARSAL_CASES: Schema = {
    "case": Column("category", "", "no fault, fault, or fault and plan"),
    "scale": Column("float64", "", "share of the day's shoppers that the rehearsal simulates"),
    "service": Column("category", "", "service whose machines fail"),
    "machines": Column("int32", "machines", "its machines before the fault, at full scale"),
    "fault_machines": Column("float64", "machines", "what is left of them, at full scale; NaN: no fault"),
    "fault_from_s": Column("float64", "s", "begin of the fault; NaN: no fault"),
    "fault_until_s": Column("float64", "s", "end of the fault, all machines are back; NaN: no fault"),
    "plan": Column("category", "", "what the plan changes; empty: no plan"),
}

REHEARSAL_SECONDS: Schema = {
    "case": Column("category", "", "see rehearsal_cases"),
    "second_s": Column("int32", "s", "start of the second"),
    "requests": Column("int32", "requests", "page requests sent to the site, retries included"),
    "retries": Column("int32", "requests", "of these, repeated after a rejection or a timeout"),
    "orders": Column("int32", "orders", "orders paid: the goodput, pages answered before the browser gave up"),
    "gmv_rmb": Column("float64", "RMB", "value of the orders paid"),
    "orders_lost": Column("int32", "orders", "orders that a shopper wanted and gave up on because the site failed"),
    "lost_rmb": Column("float64", "RMB", "value of the orders lost"),
    "arrivals": Column("int32", "requests", "requests that reached the service with the fault"),
    "served": Column("int32", "requests", "requests that it finished, whether or not the browser still waited"),
    "rejected": Column("int32", "requests", "requests that it refused because its queue was full"),
    "timed_out": Column("int32", "requests", "requests that left its queue after the timeout"),
    "queue": Column("int32", "requests", "requests waiting there at the end of the second"),
    "busy": Column("int32", "slots", "slots in use there at the end of the second"),
}

PAGE_LATENCY: Schema = {
    "hour": Column("int32", "h", "hour of the answer, counted from t = 0"),
    "page": Column("category", "", "name of the page"),
    "region": Column("category", "", "where the shopper is"),
    "channel": Column("category", "", "pc or wireless"),
    "latency_s": Column("float64", "s", "upper edge of the histogram's bucket: request sent to page received"),
    "count": Column("int64", "requests", "pages answered in this bucket"),
}

SERVICE_LATENCY: Schema = {
    "hour": Column("int32", "h", "hour of the service's end, counted from t = 0"),
    "service": Column("category", "", "name of the service"),
    "region": Column("category", "", "where the shopper is"),
    "channel": Column("category", "", "pc or wireless"),
    "latency_s": Column("float64", "s", "upper edge of the histogram's bucket: arrival at the service to its end"),
    "count": Column("int64", "requests", "requests served in this bucket"),
}

ORDERS: Schema = {
    "shopper": Column("uint32", "", "the shopper's id"),
    "number": Column("uint8", "", "which order of this shopper, from 0"),
    "paid_s": Column("float64", "s", "instant of the payment"),
    "value_rmb": Column("float64", "RMB", "value of the basket"),
    "channel": Column("category", "", "pc or wireless"),
}
