"""The channels that feedback comes over besides the API: a package each, declared in its ``channel.py``."""
