"""Rules for operations: what goes wrong is written down, kept, and told to somebody; a module for each means of it."""

from policy.rules.operations import alarms, functions, logs, registries, watching, workflows

__all__ = ["alarms", "functions", "logs", "registries", "watching", "workflows"]
