"""Questions about sales, in Athena's SQL, and the tools that ask them."""
