"""Holds no DAG. When the last deployment was refused, Airflow shows why, as this file's import error; the DAGs of
`dayslice_dags.py` go on as they were deployed before.
"""

from dayslice_airflow.dags import raise_last_failure

raise_last_failure()
