"""Measures the spike detector on simulated shops: false alarms, and how soon a tripled share is noticed."""
