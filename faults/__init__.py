"""Tools that break things on purpose: a fault-injecting proxy, a sick SageMaker runtime, and alarms held to outages.

They speak AWS's wire formats and know nothing of this product, but for the endpoint's contract of JSON lines.
"""
