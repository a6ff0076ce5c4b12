"""Writes a small sales log as an ERP might export it, for the tutorial: invented, and untidy.

Usage: python docs/examples/an_export.py FILE
German headers and numbers, days first, semicolons, and three bad rows.
"""

import random
import sys
from datetime import date, timedelta
from pathlib import Path

ARTICLES = {"Drills": ["D-100", "D-200"], "Blades": ["B-10", "B-20"], "Service": ["S-1"]}
SELLERS = [("Nord", "Ada"), ("Nord", "Ben"), ("Süd", "Cleo")]
MONTHS = 36


def starts(chance: random.Random, busy: float) -> dict[str, float]:
    """The month of a customer's first order in each division; later than MONTHS is never.

    Who drills needs blades soon, and who is busy wants service.
    """
    drills = chance.uniform(-20, 70)
    blades = drills + chance.uniform(2, 24) if chance.random() < 0.7 else chance.uniform(10, 120)
    service = chance.uniform(-5, 50 if busy > 0.2 else 140)
    return {"Drills": drills, "Blades": blades, "Service": service}


def german(amount: float) -> str:
    """1234.5 as 1.234,50 €."""
    return f"{amount:,.2f} €".translate(str.maketrans(",.", ".,"))


def rows() -> list[str]:
    chance, found = random.Random(5), []
    for account in range(1, 261):
        office, seller = chance.choice(SELLERS)
        busy = chance.uniform(0.04, 0.35)
        for division, first in starts(chance, busy).items():
            for month in range(MONTHS):
                if month < first or chance.random() > busy:
                    continue
                day = date(2022, 7, 1) + timedelta(days=30 * month + chance.randrange(28))
                found.append(
                    f"{account:04d};Firma {account};{day:%d/%m/%Y};R{len(found):05d};"
                    f"{chance.choice(ARTICLES[division])};{division};{chance.randint(1, 9)};"
                    f"{german(chance.lognormvariate(6, 0.8))};{office};{seller}"
                )
    found[4] = found[4].replace("/", "/32/", 1)  # a day that does not exist
    found[8] = ";" + found[8].split(";", 1)[1]  # a customer without a number
    found[11] = found[11].replace(" €", " € netto")  # an amount with a remark
    return found


if __name__ == "__main__":
    head = "Konto;Firma;Booked;Doc;Article;Line of business;Qty;Margin EUR;Office;Seller"
    Path(sys.argv[1]).write_text("\n".join([head, *rows(), ""]), encoding="utf-8")
