"""The deployed app under repeated, cut-off traffic while its processes are killed. Needs a running local AWS."""
