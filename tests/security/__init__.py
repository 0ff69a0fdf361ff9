"""What an attacker would try, or an independent tool would look for."""
