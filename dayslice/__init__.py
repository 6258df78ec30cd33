"""The thin runner: plans over (table, ds), calls dbt, and reads the truth from the metastore."""

__version__ = "0.1.0"
