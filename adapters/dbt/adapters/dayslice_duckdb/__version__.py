"""Read by dbt to name the adapter's version."""

version = "1.11.1"  # dbt-duckdb's
