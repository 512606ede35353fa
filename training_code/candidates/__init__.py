"""The models that stand beside one another in a run, and the one form in which each states its answers."""
