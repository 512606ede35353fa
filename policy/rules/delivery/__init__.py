"""Rules for delivery: what was accepted arrives, or waits where it is seen; a module for each kind of carrier."""

from policy.rules.delivery import fan_out, firehose, mappings, queues, topics

__all__ = ["fan_out", "firehose", "mappings", "queues", "topics"]
