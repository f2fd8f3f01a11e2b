"""What reaches a deployed stack without Pulumi."""
