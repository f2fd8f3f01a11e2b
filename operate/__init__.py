"""Operations: replay failed records and dead letters, and verify the lake against the table."""
