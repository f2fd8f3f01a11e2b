"""The fields of the log line that become CloudWatch metrics. Each is billed monthly.

An alarm or a dashboard uses each of them; `python -m analytics cost` includes them.
"""

NAMESPACE = "sales-cdc"
DIMENSION = "DeliveryStream"
METRICS = ("Records", "Failed", "Age")
MOST_VALUES = 100
"""How many values of a metric CloudWatch takes from one log line."""


def spread(counts: list[tuple[int, int]]) -> list[int]:
    """At most `MOST_VALUES` of these values, that stand for all of them.

    All values, if they are few. Else the value at each hundredth by nearest rank: the median, the
    99th percentile and the maximum of the values are among them, exactly.

    Parameters
    ----------
    counts:
        Each value, in ascending order, and how often it occurs.

    Examples
    --------
    >>> spread([(5, 2), (7, 1)])
    [5, 5, 7]
    """
    total = sum(count for _, count in counts)
    most = min(total, MOST_VALUES)
    chosen: list[int] = []
    below = 0
    for value, count in counts:
        below += count
        while len(chosen) < most and -(-(len(chosen) + 1) * total // most) <= below:
            chosen.append(value)
    return chosen
