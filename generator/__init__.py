"""Generate realistic orders of a tech-gadget shop and write them to a DynamoDB table.

Examples
--------
>>> from generator import Plan, operations
>>> [o.kind for o in operations(Plan(count=2, updates=0.25, deletes=0.25, seed=7))]
['insert', 'update', 'delete', 'insert']
"""

from generator.orders import Operation, operations
from generator.plan import Plan, PlanError
from generator.writer import Report, WriteError, write

__all__ = ["Operation", "Plan", "PlanError", "Report", "WriteError", "operations", "write"]
