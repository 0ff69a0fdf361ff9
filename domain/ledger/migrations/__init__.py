"""The SQL that makes the ledger."""
