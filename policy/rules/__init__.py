"""The rules, one module for each subject; importing this declares them all."""

from policy.rules import access, data, delivery, edge, machine_learning, operations, template

__all__ = ["access", "data", "delivery", "edge", "machine_learning", "operations", "template"]
