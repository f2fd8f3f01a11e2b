"""Access to a deployed stack without Pulumi."""
