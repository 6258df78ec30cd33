"""A ten-way join into one flat slice, at growing scales, until this machine ends."""

from rich.table import Table as Grid

from benchmarks.trino_tables import Server

SCALES = ("tiny", "sf1", "sf2")
JOIN = """
create table bench.flat_{scale} with (format = 'ORC') as
select
    l.orderkey, l.linenumber, l.quantity, l.extendedprice, l.discount, l.shipdate,
    o.orderstatus, o.orderdate, o.orderpriority,
    c.name as customer, c.mktsegment, cn.name as customer_nation, cr.name as customer_region,
    p.name as part, p.brand, p.type, s.name as supplier, sn.name as supplier_nation, sr.name as supplier_region,
    ps.supplycost, ps.availqty
from tpch.{scale}.lineitem as l
inner join tpch.{scale}.orders as o on l.orderkey = o.orderkey
inner join tpch.{scale}.customer as c on o.custkey = c.custkey
inner join tpch.{scale}.nation as cn on c.nationkey = cn.nationkey
inner join tpch.{scale}.region as cr on cn.regionkey = cr.regionkey
inner join tpch.{scale}.part as p on l.partkey = p.partkey
inner join tpch.{scale}.supplier as s on l.suppkey = s.suppkey
inner join tpch.{scale}.nation as sn on s.nationkey = sn.nationkey
inner join tpch.{scale}.region as sr on sn.regionkey = sr.regionkey
inner join tpch.{scale}.partsupp as ps on l.partkey = ps.partkey and l.suppkey = ps.suppkey
"""


def measure_join(server: Server) -> Grid:
    """Rows, seconds and peak memory of the join at each scale, or why it stopped."""
    grid = Grid("scale", "rows", "seconds", "rows a second", title="ten tables joined into a flat one")
    for scale in SCALES:
        server.run(f"drop table if exists bench.flat_{scale}")
        try:
            seconds = server.seconds(JOIN.format(scale=scale))
        except Exception as error:  # whatever ends it is the finding
            grid.add_row(scale, "", "", str(getattr(error, "message", error))[:70])
            break
        (rows,) = server.run(f"select count(*) from bench.flat_{scale}")[0]
        grid.add_row(scale, f"{rows:,}", f"{seconds:.1f}", f"{rows / seconds:,.0f}")
    return grid
