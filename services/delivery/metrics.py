"""Every metric of the delivery service."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_LABELS = ("channel", "provider")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

SENT = Counter("carillon_delivery_sent", "Deliveries that a provider has taken", _LABELS)
RETRIED = Counter("carillon_delivery_retried", "Attempts that failed and will be repeated", _LABELS)
UNKNOWN = Counter("carillon_delivery_unknown", "Attempts of which nobody knows the outcome", _LABELS)
FAILED = Counter("carillon_delivery_failed", "Deliveries given up", (*_LABELS, "reason"))
RETURNED = Counter("carillon_delivery_returned", "Deliveries put back because the provider was out of reach", _LABELS)
FENCED = Counter("carillon_delivery_fenced", "Outcomes without effect: the claim had passed to another", _LABELS)
REAPED = Counter("carillon_delivery_reaped", "Leases that ran out, by what was held", ("channel", "held"))
DEAD = Counter("carillon_delivery_dead", "Dead letters written", ("channel",))
BREAKS = Counter("carillon_delivery_breaks", "Times that a provider was left alone for a while", ["provider"])
LIFECYCLE = Counter("carillon_delivery_lifecycle", "Changes that customers were told of")
CALLS = Histogram("carillon_delivery_call_seconds", "How long a call to the provider took", _LABELS, buckets=_SECONDS)
LATENCY = Histogram(
    "carillon_delivery_latency_seconds",
    "From planning a delivery to the provider taking it",
    _LABELS,
    buckets=(*_SECONDS, 60, 300, 1_800, 7_200, 86_400),
)
DUE = Gauge(
    "carillon_delivery_due", "Deliveries that are due and not taken by any worker, counted to a bound", ["channel"]
)
UNSEALABLE = Counter("carillon_delivery_unsealable", "Sensitive values that could not be opened", ["reason"])
IN_FLIGHT = Gauge("carillon_delivery_in_flight", "Calls to the provider that run now", _LABELS)
LIMIT = Gauge("carillon_delivery_call_limit", "How many calls to the provider may run at once now", _LABELS)
