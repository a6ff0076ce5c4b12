"""The canonical fields of a sales log and the headers they usually stand under."""

from __future__ import annotations

import re

__all__ = ["FIELDS", "header_key", "recognise"]

# Canonical field -> common headers, most telling first, in their comparable form.
FIELDS: dict[str, tuple[str, ...]] = {
    "customer_id": (
        "customerid", "custid", "customernumber", "customerno", "customercode", "customerkey",
        "accountid", "accountnumber", "accountno", "clientid", "householdid",
    ),
    "order_date": (
        "orderdate", "recdate", "invoicedate", "date", "transactiondate", "documentdate",
        "docdate", "postingdate", "salesdate", "saledate",
    ),
    "product_sku": (
        "productsku", "sku", "productid", "productcode", "productnumber", "productno", "itemid",
        "itemcode", "itemnumber", "itemno", "stockcode", "partnumber", "materialnumber",
        "material", "product", "item",
    ),
    "product_division": (
        "productdivision", "division", "businessunit", "department", "productline",
        "productgroup",
    ),
    "gross_profit": ("grossprofit", "gp", "grossprofitamount", "gpamount", "profit"),
    "revenue": (
        "revenue", "netsales", "salesamount", "salesvalue", "netamount", "linetotal",
        "extendedprice", "amount", "sales",
    ),
    "cogs": ("cogs", "costofgoodssold", "costofsales", "totalcost", "costamount", "cost"),
    "invoice_id": (
        "invoiceid", "invoice", "invoiceno", "invoicenumber", "orderid", "orderno",
        "ordernumber", "salesorder", "documentid", "documentno", "documentnumber", "basketid",
    ),
    "quantity": ("quantity", "qty", "orderqty", "orderquantity", "units"),
    "customer_name": (
        "customername", "customer", "accountname", "account", "companyname", "company",
        "clientname", "client",
    ),
    "region": ("region", "salesregion"),
    "territory": ("territory", "salesterritory", "territorykey", "territoryid"),
    "rep": (
        "rep", "salesrep", "salesrepid", "salesrepname", "repname", "repid", "salesperson",
        "accountmanager", "owner",
    ),
    "order_type": ("ordertype", "documenttype", "doctype", "transactiontype", "type"),
    "currency": ("currency", "currencycode"),
    "description": ("productdescription", "itemdescription", "description", "productname"),
}  # fmt: skip


def header_key(header: str) -> str:
    """A header in its comparable form: case, blanks, ``_`` and ``-`` do not matter.

    >>> header_key(" Rec_Date ")
    'recdate'
    """
    return re.sub(r"[\s_\-\u00a0]+", "", header).lower()


def recognise(headers: list[str], chosen: dict[str, str]) -> dict[str, str]:
    """Which header holds which canonical field; ``chosen`` (from the settings) goes first.

    A header serves one field only. Fields without a header are left out.
    """
    by_key = {header_key(header): header for header in headers}
    found: dict[str, str] = {}
    for name, header in chosen.items():
        if header_key(header) in by_key:
            found[name] = by_key[header_key(header)]
    for name, synonyms in FIELDS.items():
        if name in found or name in chosen:
            continue
        for synonym in synonyms:
            header_found = by_key.get(synonym)
            if header_found is not None and header_found not in found.values():
                found[name] = header_found
                break
    return found
