"""The command line, and the repository's own run and test commands."""
