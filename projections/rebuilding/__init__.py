"""Rebuilding as proof: rows are made again of the streams, compared with the live ones and put there."""
