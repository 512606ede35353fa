"""Takes feedback in over the API: accepted once, and answered with its sentiment where the model is quick enough."""
