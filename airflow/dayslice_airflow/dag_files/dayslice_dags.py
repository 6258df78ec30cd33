"""Airflow's DAGs: one for each table of the dbt graph, made from what `dayslice airflow deploy` put in place.

Nobody writes another DAG file: a new model or import is a new DAG at the next deployment.
"""

from dayslice_airflow.dags import deployed_dags

globals().update({dag.dag_id: dag for dag in deployed_dags()})
