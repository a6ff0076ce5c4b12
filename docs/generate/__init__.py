"""Makes the reference of the handbook from the code: ``python -m docs.generate``."""
