"""Frames in, canonical face crops out: the one preprocessing, for training and serving alike."""
