"""The canonical fields of a sales log and the headers they usually stand under."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = ["FIELDS", "HEADER_WITHIN", "field_key", "find_header", "header_key", "recognise"]

# Canonical field -> common headers, most telling first, in their comparable form.
FIELDS: dict[str, tuple[str, ...]] = {
    "customer_id": (
        "customerid", "custid", "customernumber", "customerno", "customernum", "customercode",
        "customerkey", "custno", "custnum", "custcode", "accountid", "accountnumber", "accountno",
        "accountcode", "clientid", "clientno", "clientcode", "companyid", "resellerid",
        "resellerkey", "dealerid", "buyerid", "soldto", "soldtoid", "soldtoparty", "billtoid",
        "householdid", "kundennummer", "kundennr", "numclient", "nclient", "codeclient",
        "idcliente", "custaccount", "customeraccount", "clientnumber", "clientkey", "kundenid",
        "kundencode", "kundenkonto", "debitor", "debitornr", "debitorennummer", "kunnr", "cardcode",
        "idclient", "numeroclient", "codigocliente", "codigodocliente", "codicecliente",
        "idcustomer", "klantnummer", "klantnr", "klantcode", "klantid",
    ),
    "order_date": (
        "orderdate", "recdate", "invoicedate", "invdate", "date", "transactiondate", "trandate",
        "transdate", "txndate", "documentdate", "docdate", "postingdate", "bookingdate",
        "billingdate", "purchasedate", "salesdate", "saledate", "orderdatetime", "ordertimestamp",
        "invoicedatetime", "datetime", "timestamp", "closedate", "bestelldatum", "auftragsdatum",
        "rechnungsdatum", "buchungsdatum", "belegdatum", "datum", "datecommande", "datefacture",
        "fecha", "fechafactura", "fechapedido", "fakturadatum", "verkaufsdatum", "datedecommande",
        "datedefacture", "datevente", "fechadefactura", "fechadepedido", "fechaventa", "dataordine",
        "datafattura", "datapedido", "datavenda", "dataemissao", "orderdatum", "factuurdatum",
    ),
    "product_sku": (
        "productsku", "sku", "skuid", "skucode", "productid", "productcode", "productnumber",
        "productno", "productkey", "itemid", "itemcode", "itemnumber", "itemno", "itemkey",
        "stockcode", "partnumber", "partno", "materialnumber", "materialno", "articleno",
        "articlenumber", "articlecode", "articleid", "material", "product", "item", "article",
        "part", "artikelnummer", "artikelnr", "artikel", "codearticle", "codigoproducto",
        "artikelcode", "materialnummer", "materialnr", "referencearticle", "codeproduit",
        "codigoarticulo", "codigoproduto", "codicearticolo", "produkt", "produit", "articulo",
        "producto", "articolo", "prodotto", "produto",
        # A name stands for the product where nothing shorter does.
        "productname", "itemname", "productdescription", "itemdescription",
    ),
    "product_division": (
        "productdivision", "division", "businessunit", "businessline", "lineofbusiness", "lob",
        "department", "productline", "productgroup", "productfamily", "productcategory", "category",
        "itemcategory", "categoryname", "productcategoryname", "productcategoryid", "itemgroup",
        "materialgroup", "family", "warengruppe", "produktgruppe", "sparte", "categorie", "famille",
        "categoria", "itemgroupid", "itemtype", "itemfamily", "productgroupid", "producttype",
        "productclass", "geschaftsbereich", "geschaftsfeld", "produktlinie",
        "artikelgruppe", "materialgruppe", "familleproduit", "gammeproduit", "lineadenegocio",
        "lineanegocio", "familia", "linhadeproduto", "divisione", "famiglia", "productgroep",
        "artikelgroep",
    ),
    "gross_profit": (
        "grossprofit", "gp", "grossprofitamount", "gpamount", "grossmarginamount", "marginamount",
        "profit", "totalprofit", "rohertrag", "deckungsbeitrag", "rohgewinn", "margebrute",
        "estgrossprofit", "estimatedgrossprofit", "actualgrossprofit", "bruttogewinn",
        "bruttoertrag", "margenbruto", "gananciabruta", "marginelordo", "utilelordo", "lucrobruto",
        "margembruta", "brutowinst", "brutomarge",
    ),
    "revenue": (
        "revenue", "netsales", "netrevenue", "salesamount", "salesamt", "salesvalue",
        "salesrevenue", "netamount", "netvalue", "netsalesamount", "linetotal", "lineamount",
        "linerevenue", "extendedprice", "extendedamount", "invoiceamount", "orderamount",
        "ordervalue", "totalsales", "totalrevenue", "totalamount", "totalprice", "amount", "sales",
        "turnover", "value", "total", "umsatz", "nettoumsatz", "nettobetrag", "nettowert",
        "chiffreaffaires", "montant", "montantht", "importe", "ventas", "netsalesvalue",
        "salestotal", "chiffredaffaires", "montantnet", "importeneto", "importetotal",
        "ventasnetas", "fatturato", "importo", "ricavi", "faturamento", "receita", "valortotal",
        "omzet", "bedrag",
    ),
    "unit_price": (
        "unitprice", "priceperunit", "priceeach", "unitsellingprice", "sellingprice", "salesprice",
        "itemprice", "netprice", "price", "einzelpreis", "stuckpreis", "prixunitaire",
        "preciounitario", "preisproeinheit", "preciounidad", "prezzounitario", "precounitario",
        "stuksprijs", "eenheidsprijs",
    ),
    "cogs": (
        "cogs", "costofgoodssold", "costofsales", "totalcost", "totalproductcost", "costamount",
        "linecost", "cost", "wareneinsatz", "costvalue", "costofgoods", "kosten", "selbstkosten",
        "einstandswert", "coutdesventes", "costo", "coste", "custo",
    ),
    "invoice_id": (
        "invoiceid", "invoice", "invoiceno", "invoicenumber", "invoicenum", "orderid", "orderno",
        "ordernumber", "ordernum", "salesorder", "salesorderid", "salesorderno", "salesordernumber",
        "transactionid", "transactionno", "documentid", "documentno", "documentnumber", "docno",
        "docnumber", "receiptno", "receiptid", "basketid", "order", "auftragsnummer", "auftragsnr",
        "rechnungsnummer", "rechnungsnr", "belegnummer", "belegnr", "numfacture", "nfacture",
        "ncommande", "factura", "pedido", "vbeln", "fakturanummer", "numerodefacture",
        "numerofactura", "numerodefactura", "numeropedido", "numerofattura", "numeroordine",
        "notafiscal", "factuurnummer", "ordernummer", "ordernr",
    ),
    "quantity": (
        "quantity", "qty", "orderqty", "orderquantity", "quantityordered", "qtyordered",
        "quantitysold", "qtysold", "unitssold", "units", "menge", "anzahl", "stuck", "quantite",
        "cantidad", "stuckzahl", "unidades", "quantita", "quantidade", "aantal",
    ),
    "customer_name": (
        "customername", "custname", "customer", "accountname", "account", "companyname", "company",
        "clientname", "nomclient", "nomduclient", "client", "resellername", "dealername",
        "soldtoname", "kundenname", "kunde", "nombrecliente", "nomecliente", "cliente",
        "klantnaam", "klant", "razonsocial", "raisonsociale",
        "ragionesociale", "razaosocial",
    ),
    "region": ("region", "salesregion", "vertriebsgebiet", "gebiet", "regione", "regiao", "regio"),
    "territory": ("territory", "salesterritory", "territorykey", "territoryid"),
    "rep": (
        "rep", "salesrep", "salesrepid", "salesrepname", "repname", "repid", "salesperson",
        "salespersonname", "salesman", "accountmanager", "accountexecutive", "accountowner",
        "owner", "opportunityowner", "salesowner", "salestaker", "accountrep", "vertreter",
        "vertriebsmitarbeiter", "verkaufer", "vendeur", "vendedor", "venditore",
        "agente", "vertegenwoordiger",
    ),
    "order_type": ("ordertype", "documenttype", "doctype", "transactiontype", "type"),
    "currency": ("currency", "currencycode", "wahrung", "devise", "moneda", "valuta", "moeda"),
    "description": (
        "productdescription", "itemdescription", "description", "productname", "artikelbezeichnung",
        "materialtext", "designation", "descripcion", "descrizione", "descricao", "omschrijving",
    ),
}  # fmt: skip

# Headers that hold a customer's id where a longer one (`Customer` beside `Customer Name`) holds
# the name.
BARE_CUSTOMER = ("customer", "account", "company", "client", "kunde", "cliente", "klant")

# A report may have a title and filters above its table, but not more rows than these.
HEADER_WITHIN = 20
# So many fields by their names make a header.
ENOUGH_FIELDS = 3
CURRENCY = re.compile(r"[\s_(\[]+(usd|eur|gbp|chf|cad|aud|jpy|[$€£¥])[)\]]?$", re.IGNORECASE)


def header_key(header: str) -> str:
    """A header in its comparable form: case, blanks, ``_`` and ``-`` do not matter.

    >>> header_key(" Rec_Date ")
    'recdate'
    """
    return re.sub(r"[\s_\-\u00a0]+", "", header).lower()


def field_key(header: str) -> str:
    """A header as the synonyms are written: also without accents, marks and a currency.

    >>> field_key("Cust. #"), field_key("Quantité"), field_key("Net Sales (USD)")
    ('custno', 'quantite', 'netsales')

    A per cent stays, since a margin in per cent is no profit.
    """
    plain = unicodedata.normalize("NFKD", CURRENCY.sub("", header.strip()))
    letters = "".join(one for one in plain if not unicodedata.combining(one))
    return re.sub(r"[.:/'()\[\]°]+", "", header_key(letters.replace("#", "no")))


def recognise(headers: list[str], chosen: dict[str, str]) -> dict[str, str]:
    """Which header holds which canonical field; ``chosen`` (from the settings) goes first.

    A header serves one field only. Fields without a header are left out. A price is a field
    only where the log has no amount.
    """
    exact = {header_key(header): header for header in headers}
    by_key = {field_key(header): header for header in reversed(headers)}
    found: dict[str, str] = {}
    for name, header in chosen.items():
        if header_key(header) in exact:
            found[name] = exact[header_key(header)]
    for name, synonyms in FIELDS.items():
        priced = name == "unit_price" and not found.keys().isdisjoint(("gross_profit", "revenue"))
        if name in found or name in chosen or priced:
            continue
        for key in synonyms:
            header_found = by_key.get(key)
            if header_found is not None and header_found not in found.values():
                found[name] = header_found
                break
    if "customer_id" not in found and "customer_name" in found:
        named = field_key(found["customer_name"])
        for key in BARE_CUSTOMER:
            if key in named and by_key.get(key, found["customer_name"]) not in found.values():
                found["customer_id"] = by_key[key]
    return found


def find_header(rows: Iterable[Sequence[str]], chosen: dict[str, str]) -> int:
    """The place of the header: the first row, unless that names hardly any field and one of the
    next does. Rows below the header are not asked for."""
    for place, row in enumerate(rows):
        known = len(recognise([cell for cell in row if cell], chosen))
        if known >= (ENOUGH_FIELDS if place else ENOUGH_FIELDS - 1):
            return place
    return 0
