"""The `target-tracker` command: a client of the API, and what the operator does on the service's own host."""
