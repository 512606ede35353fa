"""Decides what intake could not: reads the queue in batches and asks the model once per batch."""
