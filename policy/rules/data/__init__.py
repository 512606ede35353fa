"""Rules for data at rest, a module for each kind of store; importing this declares them all."""

from policy.rules.data import buckets, catalog, databases, keys, registries, retention, secrets, tables

__all__ = ["buckets", "catalog", "databases", "keys", "registries", "retention", "secrets", "tables"]
