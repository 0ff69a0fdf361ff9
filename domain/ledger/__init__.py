"""The ledger: one gapless, append-only, Merkle-hashed stream of events for each school, on PostgreSQL."""
