"""The write side: what may happen to a school, and the record of it."""
