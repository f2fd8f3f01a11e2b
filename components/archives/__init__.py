"""Building deployment packages for Lambda functions."""
