"""Procedurally drawn faces: the stand-in where no data set is at hand."""
