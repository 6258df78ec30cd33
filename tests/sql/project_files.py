"""The files of a small project on one import: each model a SELECT, and of its YAML only what is not as it mostly is."""

from collections.abc import Mapping
from typing import Any

import yaml

# A sum that goes on from day to day: the orders of the day, and the number of the day before.
TOTAL = """
select cast(
    (select count(*) from {{ slice('erp', 'orders') }})
    + coalesce((select max(n) from {{ slice(this, -1) }}), 0) as bigint
) as n
"""


def on_orders(
    models: Mapping[str, str],
    meta: Mapping[str, dict[str, Any]] | None = None,
    columns: Mapping[str, list[dict[str, Any]]] | None = None,
) -> dict[str, str]:
    """An import `erp.orders` and models by name, all of events.

    `meta` adds to what the YAML says of a model, or of `orders`; `columns` are those of a model. A name that ends with
    `_latest` is a view, and has no place in the YAML; nor has a model that says itself what it is made as.
    """
    more, named = meta or {}, columns or {}
    sliced = [name for name, select in models.items() if not name.endswith("_latest") and "materialized" not in select]
    listed = [
        {
            "name": name,
            "config": {"meta": {"slice": "events", **more.get(name, {})}},
            **({"columns": named[name]} if name in named else {}),
        }
        for name in sliced
    ]
    imported = {"connection": "erp", "slice": "events", **more.get("orders", {})}
    source = {"name": "erp", "config": {"meta": imported}, "tables": [{"name": "orders"}]}
    told = yaml.safe_dump({"sources": [source], "models": listed}, sort_keys=False)
    return {"models/models.yml": told, **{f"models/{name}.sql": select for name, select in models.items()}}
