"""Rules for access: each role may do what it does and no more; a module each for policies, roles and secrets."""

from policy.rules.access import keys, policies, roles

__all__ = ["keys", "policies", "roles"]
