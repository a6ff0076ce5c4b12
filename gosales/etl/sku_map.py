"""The SKU map: which product belongs to which division, and which column counts its units.

Built in for the specification's products (``sku_map.csv`` beside this file), extended and
overridden by a workspace's ``sku_map_overrides.csv``. Two names that share a quantity
column are two names of one product; the first one in the map is its SKU.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from gosales.config import load_settings
from gosales.errors import ConfigError, GoSalesError
from gosales.etl.headers import header_key
from gosales.workspace import Workspace

__all__ = ["MappedProduct", "SkuMap", "division_set", "load_sku_map"]

BUILT_IN = Path(__file__).with_name("sku_map.csv")
# Our heads, and the older ones that are still read.
HEADS = {"product_sku": ("product_sku", "gp_col"), "qty_column": ("qty_column", "qty_col")}


@dataclass(frozen=True)
class MappedProduct:
    """A product's name in a log, its canonical SKU, its quantity column and its division;
    whether the workspace itself says so."""

    name: str
    sku: str
    qty_column: str
    division: str
    own: bool


@dataclass(frozen=True)
class SkuMap:
    products: tuple[MappedProduct, ...]

    def by_name(self) -> dict[str, MappedProduct]:
        """Products by the comparable form of their name."""
        return {header_key(product.name): product for product in self.products}

    def divisions(self) -> set[str]:
        return {product.division for product in self.products}


def load_sku_map(overrides: Path | None = None) -> SkuMap:
    """The built-in map with a workspace's overrides on top.

    Raises ConfigError for a file that lacks a column or has a row without a value.
    """
    rows = _read(BUILT_IN)
    replaced: set[str] = set()
    if overrides is not None and overrides.is_file():
        added = _read(overrides)
        replaced = {header_key(name) for name, _, _ in added}
        rows = [row for row in rows if header_key(row[0]) not in replaced] + added
    first_name: dict[str, str] = {}
    products = []
    for name, qty_column, division in rows:
        sku = first_name.setdefault(header_key(qty_column), name) if qty_column else name
        own = header_key(name) in replaced
        products.append(MappedProduct(name, sku, qty_column, division, own))
    return SkuMap(tuple(products))


def division_set(workspace: Path | str = ".") -> set[str]:
    """All known divisions: those of the map and, for a long log, those in the star."""
    place = Workspace(Path(workspace))
    settings = load_settings(place.root).settings
    known = load_sku_map(place.resolve(settings.etl.sku_map_overrides_csv)).divisions()
    from gosales.etl.star import read_star_facts

    try:
        return known | set(read_star_facts(place).divisions)
    except GoSalesError:
        return known


def _read(file: Path) -> list[tuple[str, str, str]]:
    try:
        reader = csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig")))
        heads = [head.strip().lower() for head in next(reader)]
    except StopIteration:
        return []
    except UnicodeDecodeError:
        raise ConfigError(f"{file.name}: this is no UTF-8 text.", "Save it as UTF-8 CSV.") from None
    name, qty = (_column(file, heads, HEADS[field]) for field in ("product_sku", "qty_column"))
    division = _column(file, heads, ("division",))
    rows = []
    for number, row in enumerate(reader, start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) != len(heads) or not cells[name] or not cells[division]:
            raise ConfigError(
                f"{file.name}, row {number}: a product needs a SKU and a division.",
                "Give each row as product_sku,qty_column,division.",
            )
        rows.append((cells[name], cells[qty], cells[division]))
    return rows


def _column(file: Path, heads: list[str], names: tuple[str, ...]) -> int:
    for name in names:
        if name in heads:
            return heads.index(name)
    raise ConfigError(
        f"{file.name}: the column '{names[0]}' is missing.",
        "The SKU map's columns are product_sku,qty_column,division.",
    )
