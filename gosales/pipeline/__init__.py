"""The specification's entry points, and the walk through the whole pipeline."""
