"""The fields of the log line that become CloudWatch metrics. Each is billed monthly.

An alarm or a dashboard uses each of them; `python -m analytics cost` includes them.
"""

NAMESPACE = "sales-cdc"
DIMENSION = "DeliveryStream"
METRICS = ("Records", "Failed")
