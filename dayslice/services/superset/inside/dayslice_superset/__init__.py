"""What runs inside Superset's own environment: its configuration, the fence around DuckDB, the import of assets.

Nothing here imports `dayslice`, which that environment lacks; the two meet in files of Superset's home.
"""
