"""The schemes themselves, as data."""
