"""A stream of cameras to learn one after another, and the measures of what was learnt."""
