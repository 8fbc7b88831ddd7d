"""Continual learning for facial emotion recognition."""
