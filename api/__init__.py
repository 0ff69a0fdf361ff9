"""The HTTP API: one module for each resource, sessions, problem details; thin."""
