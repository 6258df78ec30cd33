# %% [markdown]
# # A look at the demo's flights
# A notebook in jupytext's percent format: Jupyter with jupytext, VS Code, PyCharm and Spyder open it as one, and git
# shows it as text. It needs the demo's warehouse (`dayslice demo`), and polars and pandas.

# %%
import polars

import dayslice

# %% [markdown]
# The newest slice of a table, and one that is named. What is published later changes neither.

# %%
carriers = dayslice.read("carrier_metrics_latest")
carriers

# %%
flights = dayslice.read("flights_flat", ds="2013-01-02")
print(f"{len(flights):,} flights left New York on {flights.pl()['ds'][0]}")

# %% [markdown]
# Arrow goes anywhere without a copy: polars, pandas, pyarrow, and whatever else takes `__arrow_c_stream__`.

# %%
delays = flights.pl().group_by("origin_name").agg(polars.col("departure_delay_minutes").mean()).sort("origin_name")
print(delays)

# %% [markdown]
# SQL over all slices, or with the macros of a model. The engine does the work; what comes back is the answer.

# %%
a_day = dayslice.sql("select ds, count(*) as flights from flights_flat group by ds order by ds")
print(a_day)

# %%
grown = dayslice.sql(
    """
    select today.carrier, today.flights - before.flights as more
    from {{ slice('carrier_metrics') }} as today
    join {{ slice('carrier_metrics', -1) }} as before on before.carrier = today.carrier
    order by more desc
    """,
    ds="2013-01-02",
)
print(grown.df().head(3))
