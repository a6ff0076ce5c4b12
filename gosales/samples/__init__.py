"""Sales logs to try the pipeline on: simulated ones whose truth is known, and a public one."""

from gosales.samples import completejourney, sales_log
from gosales.samples.files import SampleFiles
from gosales.samples.sales_log import Simulation, SimulationSpec, simulate

__all__ = [
    "SampleFiles",
    "Simulation",
    "SimulationSpec",
    "completejourney",
    "sales_log",
    "simulate",
]
