"""GoSales: which customer to sell what next, how likely it is, what it is worth, and why."""

__version__ = "0.1.0"
