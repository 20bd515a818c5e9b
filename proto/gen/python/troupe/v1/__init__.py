"""Version 1 of the Troupe contract."""
