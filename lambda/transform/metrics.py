"""What of a batch's log line CloudWatch makes metrics of. Each one is paid for by the month.

`python -m analytics cost` counts them here; an alarm or a dashboard uses each.
"""

NAMESPACE = "sales-cdc"
DIMENSION = "DeliveryStream"
METRICS = ("Records", "Failed")
