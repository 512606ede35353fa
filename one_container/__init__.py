"""All three stages of the endpoint in one container of one's own: see docs/one-container.md."""
