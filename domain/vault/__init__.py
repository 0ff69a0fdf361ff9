"""Secrets: passwords as verifiers, sessions as hashes."""
