"""View models: artifacts in, tables and dataclasses out. Pages only draw what these give."""
