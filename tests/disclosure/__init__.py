"""Tests of disclosure control, with an attacker of our own."""
