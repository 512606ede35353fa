"""Fetches on a schedule what review and social sites publish, from sources that a stage lists as data."""
