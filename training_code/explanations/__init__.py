"""Which words of a text move a model's answer, by SHAP, and what that says of words in general."""
