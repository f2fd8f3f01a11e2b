"""What users may set: limits, checks and settings, each default once."""
