"""The look that all HTML reports share, and the charts in them. Knows nothing of what is reported."""
