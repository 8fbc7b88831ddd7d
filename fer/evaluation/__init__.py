"""What a model is worth, and the rule that accepts or refuses it."""
