"""Read by dbt to name the adapter's version."""

version = "1.11.0"  # dbt-trino's
