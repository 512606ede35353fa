"""What feedback costs: units counted by running the functions, for the dated prices of `cli/prices.py`."""
