"""The simulated reseller's business: what it sells, to whom, and what leads to what.

Hazards are per month and customer: the chance of a purchase in a month is
``1 - exp(-hazard)``. Effects are added to the hazard's logarithm. Profits are
gross profit in dollars a unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["DIVISIONS", "INDUSTRIES", "PRODUCTS", "SIZES", "TERRITORIES", "Division", "Product"]


@dataclass(frozen=True)
class Product:
    """A profit column of the wide log, its quantity column, and how it sells.

    ``first`` and ``again`` weigh the product in a customer's first and later
    purchases of the division; ``seats`` is the mean number of units beyond one.
    """

    sku: str
    quantity: str
    profit: float
    first: float
    again: float
    seats: float = 0.5


@dataclass(frozen=True)
class Division:
    """A line of business.

    ``first`` is the reference customer's hazard of a first purchase, ``again`` of
    each later one; a division that ``renews`` sells again after a year instead.
    ``flat`` is the hazard of everybody in a log without signal. ``size`` acts per
    step of company size. ``after`` says which owned divisions lead here (from half
    a year after they were first bought), ``brings`` which ones come along in the
    same month and with what chance. ``opener`` weighs it as a customer's very first.
    """

    name: str
    first: float
    flat: float
    products: tuple[Product, ...]
    again: float = 0.0
    renews: bool = False
    size: float = 0.0
    opener: float = 0.0
    launch: tuple[int, int] | None = None
    industries: Mapping[str, float] = field(default_factory=dict)
    after: Mapping[str, float] = field(default_factory=dict)
    brings: Mapping[str, float] = field(default_factory=dict)


INDUSTRIES: dict[str, tuple[str, ...]] = {
    "Industrial Machinery": ("Packaging Machines", "Machine Tools", "Material Handling"),
    "Aerospace & Defense": ("Airframe Parts", "Defense Systems", "Space Hardware"),
    "Medical Devices": ("Implants", "Diagnostics", "Surgical Instruments"),
    "Automotive": ("Tier 1 Supplier", "Aftermarket Parts", "Electric Drives"),
    "Consumer Products": ("Appliances", "Sporting Goods", "Furniture"),
    "Electronics": ("Connectors", "Sensors", "Power Supplies"),
    "Energy": ("Oil & Gas Equipment", "Renewables"),
    "Education": ("University", "Technical College"),
}
"""Industries with their branches, the commonest first."""

SIZES = ("1-9", "10-49", "50-249", "250-999", "1000+")
"""Employees, smallest first."""

TERRITORIES: dict[str, tuple[str, ...]] = {
    "Northeast": ("New England", "New York", "Mid-Atlantic"),
    "Southeast": ("Carolinas", "Florida", "Tennessee Valley"),
    "Midwest": ("Great Lakes", "Ohio Valley", "Upper Plains"),
    "Southwest": ("Texas", "Desert"),
    "West": ("Northern California", "Southern California", "Pacific Northwest"),
}
"""Regions with their territories."""

DIVISIONS: tuple[Division, ...] = (
    Division(
        "Solidworks",
        first=0.0065,
        flat=0.012,
        again=0.090,
        opener=50,
        industries={
            "Industrial Machinery": 0.6,
            "Automotive": 0.3,
            "Electronics": 0.4,
            "Education": -0.5,
        },
        after={"Training": 0.6, "Hardware": 0.3, "CAMWorks": 0.8, "Services": 0.4},
        brings={"Maintenance": 0.40},
        products=(
            Product("SWX_Core", "SWX_Core_Qty", 1150, 6, 5),
            Product("SWX_Pro_Prem", "SWX_Pro_Prem_Qty", 1900, 3, 3),
            Product("DraftSight", "DraftSight_Qty", 90, 1, 1, 3.0),
            Product("SW_Electrical", "SW_Electrical_Qty", 1600, 0.4, 1),
            Product("SW_Inspection", "SW_Inspection_Qty", 700, 0.3, 1),
        ),
    ),
    Division(
        "Maintenance",
        first=0.0060,
        flat=0.011,
        renews=True,
        size=0.1,
        after={"Solidworks": 1.0, "PDM": 0.5, "Simulation": 0.3},
        products=(
            Product("Core_New_UAP", "Core_New_UAP_Qty", 420, 6, 6, 1.0),
            Product("Pro_Prem_New_UAP", "Pro_Prem_New_UAP_Qty", 640, 4, 4, 1.0),
        ),
    ),
    Division(
        "PDM",
        first=0.0022,
        flat=0.010,
        again=0.053,
        size=0.45,
        industries={"Industrial Machinery": 0.5, "Aerospace & Defense": 0.5, "Education": -1.5},
        after={"Solidworks": 0.9, "Training": 0.4, "Services": 0.5},
        brings={"Services": 0.35},
        products=(
            Product("PDM", "PDM_Qty", 900, 6, 4, 1.5),
            Product("EPDM_CAD_Editor_Seats", "EPDM_CAD_Editor_Seats_Qty", 480, 3, 6, 2.5),
        ),
    ),
    Division(
        "Simulation",
        first=0.0029,
        flat=0.010,
        again=0.045,
        size=0.3,
        opener=4,
        industries={
            "Aerospace & Defense": 0.9,
            "Medical Devices": 0.7,
            "Energy": 0.5,
            "Consumer Products": -0.5,
        },
        after={"Solidworks": 0.8, "Training": 0.5, "Hardware": 0.2},
        products=(
            Product("Simulation", "Simulation_Qty", 2100, 8, 7),
            Product("SW_Plastics", "SW_Plastics_Qty", 1700, 2, 3),
        ),
    ),
    Division(
        "Services",
        first=0.0052,
        flat=0.013,
        again=0.120,
        size=0.3,
        opener=7,
        industries={"Energy": 0.5, "Aerospace & Defense": 0.3, "Education": -0.8},
        after={"PDM": 0.9, "Solidworks": 0.3, "Scanning": 0.4, "Hardware": 0.3},
        products=(Product("Services", "Services_Qty", 950, 1, 1, 1.0),),
    ),
    Division(
        "Training",
        first=0.0050,
        flat=0.012,
        again=0.075,
        size=0.15,
        opener=6,
        industries={"Education": 0.7, "Medical Devices": 0.4, "Automotive": 0.2},
        after={"Solidworks": 0.8, "Simulation": 0.6, "PDM": 0.5},
        products=(Product("Training", "Training_Qty", 380, 1, 1, 1.2),),
    ),
    Division(
        "Success Plan",
        first=0.0042,
        flat=0.010,
        renews=True,
        size=0.25,
        after={"Maintenance": 0.8, "Training": 0.6, "PDM": 0.5, "Services": 0.3},
        products=(Product("Success Plan GP", "Success_Plan_Qty", 780, 1, 1, 0.2),),
    ),
    Division(
        "Hardware",
        first=0.0033,
        flat=0.012,
        again=0.285,
        size=0.2,
        opener=22,
        industries={
            "Consumer Products": 0.7,
            "Medical Devices": 0.6,
            "Education": 0.8,
            "Energy": -0.5,
        },
        after={"Solidworks": 0.4, "Simulation": 0.4, "Scanning": 0.7},
        products=(
            Product("Consumables", "Consumables_Qty", 85, 1, 30, 5.0),
            Product("FormLabs", "FormLabs_Qty", 1500, 8, 1, 0.2),
            Product("FDM", "FDM_Qty", 7500, 5, 1, 0.1),
            Product("SAF", "SAF_Qty", 21000, 0.5, 0.1, 0.0),
            Product("SLA", "SLA_Qty", 9500, 2, 0.3, 0.0),
            Product("P3", "P3_Qty", 17000, 0.7, 0.1, 0.0),
            Product("Metals", "Metals_Qty", 24000, 0.4, 0.1, 0.0),
            Product("AM_Software", "AM_Software_Qty", 900, 1, 1, 0.3),
            Product("AM_Support", "AM_Support_Qty", 1100, 0.5, 4, 0.1),
            Product(
                "SpareParts_RepairParts_TimeAndMaterials",
                "SpareParts_RepairParts_TimeAndMaterials_Qty",
                240,
                0.5,
                7,
                0.8,
            ),
        ),
    ),
    Division(
        "Post Processing",
        first=0.0026,
        flat=0.009,
        again=0.060,
        size=0.2,
        launch=(2021, 10),
        industries={"Medical Devices": 0.6, "Consumer Products": 0.4},
        after={"Hardware": 1.6, "Scanning": 0.5},
        products=(Product("Post_Processing", "Post_Processing_Qty", 1300, 1, 1, 0.3),),
    ),
    Division(
        "CAMWorks",
        first=0.0032,
        flat=0.010,
        renews=True,
        opener=5,
        industries={"Industrial Machinery": 0.7, "Automotive": 0.8, "Education": -0.4},
        after={"Solidworks": 0.8, "Maintenance": 0.3, "Training": 0.3},
        products=(Product("CAMWorks", "CAMWorks_Qty", 1400, 1, 1, 0.4),),
    ),
    Division(
        "CPE",
        first=0.0017,
        flat=0.009,
        again=0.068,
        size=0.65,
        industries={"Aerospace & Defense": 0.9, "Automotive": 0.8, "Education": -0.8},
        after={"PDM": 0.8, "Simulation": 0.7, "Services": 0.4},
        products=(
            Product("HV_Simulation", "HV_Simulation_Qty", 5200, 3, 3, 0.4),
            Product("CATIA", "CATIA_Qty", 4100, 4, 4, 0.8),
            Product("Delmia_Apriso", "Delmia_Apriso_Qty", 8800, 1, 1, 0.2),
        ),
    ),
    Division(
        "Scanning",
        first=0.0030,
        flat=0.009,
        again=0.045,
        size=0.25,
        launch=(2023, 7),
        industries={"Automotive": 0.6, "Aerospace & Defense": 0.5, "Energy": 0.4},
        after={"Hardware": 0.9, "CAMWorks": 0.5, "Simulation": 0.4},
        brings={"Training": 0.30},
        products=(
            Product("Creaform", "Creaform_Qty", 9200, 5, 4, 0.1),
            Product("Artec", "Artec_Qty", 5400, 4, 5, 0.1),
        ),
    ),
)

PRODUCTS: tuple[Product, ...] = tuple(p for d in DIVISIONS for p in d.products)
"""Every product, in the order of the wide log's columns."""
