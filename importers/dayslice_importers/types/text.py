"""Text, binary, and what is carried as the text that PostgreSQL prints."""

from dayslice.rules.decoding import Decoding
from dayslice_importers.types.carried import TEXT, CarriedType

OWN = ["text", "varchar", "bpchar", "name", "char", "json", "jsonb", "jsonpath", "xml", "citext", "hstore"]
NETWORK = ["inet", "cidr", "macaddr", "macaddr8"]
BITS = ["bit", "varbit"]
SEARCH = ["tsvector", "tsquery", "gtsvector"]
GEOMETRY = ["point", "line", "lseg", "box", "path", "polygon", "circle"]
OBJECTS = [
    "regclass",
    "regcollation",
    "regconfig",
    "regdatabase",
    "regdictionary",
    "regnamespace",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regrole",
    "regtype",
    "refcursor",
    "aclitem",
]
SYSTEM = [
    "tid",
    "xid",
    "xid8",
    "cid",
    "pg_lsn",
    "pg_snapshot",
    "txid_snapshot",
    "pg_node_tree",
    "pg_ndistinct",
    "pg_dependencies",
    "pg_mcv_list",
    "pg_brin_bloom_summary",
    "pg_brin_minmax_multi_summary",
    "int2vector",
    "oidvector",
]

TYPES = {
    **dict.fromkeys([*OWN, *NETWORK, *BITS, *SEARCH, *GEOMETRY, *OBJECTS, *SYSTEM], TEXT),
    "bool": CarriedType("boolean", "boolean"),
    "uuid": CarriedType("uuid", "uuid"),
    "bytea": CarriedType("blob", "varbinary", Decoding.HEX),
}
