"""How the service sends mail."""
