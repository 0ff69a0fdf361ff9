"""Bundles: what is held, as a ZIP file to take away."""
