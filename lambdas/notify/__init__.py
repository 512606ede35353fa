"""Delivers alerts: reads the alert queue and tells each alert once at each of its destinations."""
