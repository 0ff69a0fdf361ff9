"""Secrets: keys and what opens them, passwords as verifiers, sessions as hashes."""
