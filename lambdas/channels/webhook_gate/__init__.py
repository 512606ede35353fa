"""Turns away at the API's door what cannot be a signed webhook. A pure function of the headers, with no permissions."""
