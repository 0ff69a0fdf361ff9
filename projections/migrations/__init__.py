"""The SQL files that make this part of the database."""
