"""Text, binary, and what is carried as the text that PostgreSQL prints."""

from importers.types.carried import AS_TEXT, TEXT, CarriedType, Decoding

TYPES = {
    "text": TEXT,
    "varchar": TEXT,
    "bpchar": TEXT,
    "name": TEXT,
    "char": TEXT,
    "bool": CarriedType("boolean", "boolean"),
    "uuid": CarriedType("uuid", "uuid"),
    "bytea": CarriedType("blob", "varbinary", Decoding.HEX),
    "json": TEXT,
    "jsonb": TEXT,
    **dict.fromkeys(
        ["xml", "inet", "cidr", "macaddr", "macaddr8", "bit", "varbit", "tsvector", "tsquery", "hstore", "citext"],
        AS_TEXT,
    ),
    **dict.fromkeys(["point", "line", "lseg", "box", "path", "polygon", "circle", "pg_lsn", "xid", "xid8"], AS_TEXT),
}
