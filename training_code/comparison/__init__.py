"""All candidates of a run on the same frozen test rows: figures, differences that are more than chance, and cost."""
