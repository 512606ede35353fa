"""Rules for the edge: who may come in, how fast, and what is written down of it; a module for each kind of door."""

from policy.rules.edge import apis, authorization, distributions, firewalls, permissions, public, stages

__all__ = ["apis", "authorization", "distributions", "firewalls", "permissions", "public", "stages"]
