"""The read side: one module for each projection, the runner that feeds them, and their SQL."""
