"""The customers: who they are, when they arrive, how busy they are, how easily they leave."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gosales.samples.catalog import DIVISIONS, INDUSTRIES, SIZES, TERRITORIES
from gosales.samples.spec import MONTHS, SimulationSpec

__all__ = ["Customers", "draw_customers"]

Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]

_INDUSTRY_SHARES = (0.26, 0.14, 0.12, 0.15, 0.12, 0.10, 0.06, 0.05)
_SIZE_SHARES = (0.24, 0.32, 0.25, 0.13, 0.06)
_REGION_SHARES = (0.24, 0.20, 0.26, 0.14, 0.16)
_REPS = (
    "Avery Holt", "Blake Moreno", "Casey Lindqvist", "Dana Okafor", "Elliot Brandt",
    "Frances Ruiz", "Gale Whitman", "Harper Nolan", "Indira Shah", "Jordan Pike",
    "Kerry Vance", "Logan Abbott", "Morgan Tse", "Noel Farrow",
)  # fmt: skip
_FIRST = (
    "Acme", "Apex", "Arbor", "Atlas", "Beacon", "Bluewater", "Boulder", "Bravo", "Bright",
    "Cascade", "Cedar", "Century", "Clear", "Coastal", "Copper", "Crown", "Delta", "Eagle",
    "Eastline", "Ember", "Falcon", "Forge", "Frontier", "Garnet", "Granite", "Great Lakes",
    "Harbor", "Hawthorne", "Helix", "Highland", "Horizon", "Ironwood", "Juniper", "Keystone",
    "Lakeside", "Liberty", "Lumen", "Maple", "Meridian", "Müller", "Nordic", "Northstar",
    "Oakridge", "Orion", "Pacific", "Pioneer", "Quantum", "Redwood", "Ridgeline", "Sierra",
    "Silver", "Summit", "Sterling", "Titan", "Tri-State", "Union", "Vertex", "Vista", "Zenith",
)  # fmt: skip
_SECOND = (
    "Aero", "Alloy", "Automation", "Biomed", "Castings", "Components", "Controls", "Design",
    "Devices", "Drives", "Dynamics", "Electric", "Energy", "Engineering", "Fabrication",
    "Fixtures", "Fluid", "Foundry", "Hydraulics", "Instruments", "Labs", "Machine", "Marine",
    "Metals", "Mold", "Motion", "Optics", "Packaging", "Plastics", "Power", "Precision",
    "Products", "Robotics", "Sensors", "Systems", "Tooling", "Turbines",
)  # fmt: skip
_LEGAL = ("Inc", "LLC", "Corp", "Co", "Ltd", "Group", ", Inc.", "Works", "Partners", "& Sons")


@dataclass(frozen=True)
class Customers:
    """One value a customer in each array; codes index the catalog's tables."""

    code: pa.StringArray  # the customer id as it should be read
    name: pa.StringArray
    industry: Ints
    branch: Ints
    size: Ints
    region: Ints
    territory: Ints
    arrival: Ints  # month of the first document
    opener: Ints  # division of the first document
    activity: Floats  # log scale, mean about 0: busier customers buy more of everything
    churn: Floats  # chance a month to leave for good

    def __len__(self) -> int:
        return len(self.industry)

    def part(self, start: int, stop: int) -> Customers:
        """The customers from ``start`` up to ``stop``."""
        return Customers(**{f.name: getattr(self, f.name)[start:stop] for f in fields(self)})

    def rep(self) -> pa.StringArray:
        """The seller of each customer: one a territory."""
        places = [t for region in TERRITORIES.values() for t in region]
        return pa.array(_REPS[: len(places)]).take(pa.array(self._place()))

    def labels(self) -> dict[str, pa.StringArray]:
        """The attributes in words: industry, industry_sub, size, region, territory."""
        branches = [b for group in INDUSTRIES.values() for b in group]
        places = [t for region in TERRITORIES.values() for t in region]
        starts = np.cumsum([0] + [len(group) for group in INDUSTRIES.values()])
        words = {
            "industry": (list(INDUSTRIES), self.industry),
            "industry_sub": (branches, starts[self.industry] + self.branch),
            "size": (list(SIZES), self.size),
            "region": (list(TERRITORIES), self.region),
            "territory": (places, self._place()),
        }
        return {key: pa.array(text).take(pa.array(code)) for key, (text, code) in words.items()}

    def _place(self) -> Ints:
        starts = np.cumsum([0] + [len(group) for group in TERRITORIES.values()])
        return np.asarray(starts[self.region] + self.territory, dtype=np.int64)


def draw_customers(spec: SimulationSpec) -> Customers:
    """All customers of a simulation, in the order of their ids."""
    rng = np.random.default_rng([spec.seed, 1])
    n = spec.customers
    industry = rng.choice(len(INDUSTRIES), n, p=_INDUSTRY_SHARES)
    size = rng.choice(len(SIZES), n, p=_SIZE_SHARES)
    region = rng.choice(len(TERRITORIES), n, p=_REGION_SHARES)
    activity = rng.normal(0, 0.75, n) + 0.15 * (size - 1.4)
    churn = spec.signal * np.exp(-4.5 - 0.25 * (size - 1.4) - 0.3 * activity)
    return Customers(
        code=_codes(n, rng),
        name=_names(n, rng),
        industry=industry,
        branch=_within(industry, [len(group) for group in INDUSTRIES.values()], rng),
        size=size,
        region=region,
        territory=_within(region, [len(group) for group in TERRITORIES.values()], rng),
        arrival=_arrivals(n, rng),
        opener=_openers(industry, spec.signal, rng),
        activity=activity,
        churn=np.minimum(churn, 0.2),
    )


def _within(group: Ints, sizes: list[int], rng: np.random.Generator) -> Ints:
    """A member of each one's group, the earlier members likelier."""
    return np.asarray((rng.random(len(group)) ** 1.3 * np.array(sizes)[group]), dtype=np.int64)


def _arrivals(n: int, rng: np.random.Generator) -> Ints:
    """Half are there in the first half year; the others come over the years, ever more."""
    early = rng.integers(0, 6, n)
    late = 6 + ((MONTHS - 6) * rng.random(n) ** 0.85).astype(np.int64)
    return np.where(rng.random(n) < 0.5, early, late)


def _openers(industry: Ints, signal: float, rng: np.random.Generator) -> Ints:
    """The division of each customer's first document, by industry."""
    weights = np.array([d.opener for d in DIVISIONS])
    liking = np.array([[d.industries.get(name, 0.0) for d in DIVISIONS] for name in INDUSTRIES])
    chances = weights * np.exp(signal * liking)
    ladder = np.cumsum(chances / chances.sum(axis=1, keepdims=True), axis=1)[industry]
    return np.asarray((rng.random(len(industry))[:, None] > ladder[:, :-1]).sum(axis=1))


def _codes(n: int, rng: np.random.Generator) -> pa.StringArray:
    """Distinct numeric ids as text; one in fifty with a leading zero."""
    numbers = pa.array(100_000 + 7 * np.arange(n) + rng.integers(0, 7, n)).cast(pa.string())
    lead = pa.array(["", "0"]).take(pa.array((rng.random(n) < 0.02).astype(np.int8)))
    return pc.binary_join_element_wise(lead, numbers, "")


def _names(n: int, rng: np.random.Generator) -> pa.StringArray:
    """Company names, distinct up to some twenty thousand customers, then numbered."""
    combinations = len(_FIRST) * len(_SECOND) * len(_LEGAL)
    order = np.resize(rng.permutation(combinations), n)
    first = pa.array(_FIRST).take(pa.array(order % len(_FIRST)))
    second = pa.array(_SECOND).take(pa.array(order // len(_FIRST) % len(_SECOND)))
    legal = pa.array([word if word[0] == "," else f" {word}" for word in _LEGAL])
    legal = legal.take(pa.array(order // (len(_FIRST) * len(_SECOND))))
    cycle = np.arange(n) // combinations
    branch = pc.binary_join_element_wise(" ", pa.array(cycle + 1).cast(pa.string()), "")
    branch = pc.if_else(pa.array(cycle > 0), branch, "")
    return pc.binary_join_element_wise(first, " ", second, branch, legal, "")
