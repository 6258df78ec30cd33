"""A Celery worker, warm: it imports this module before its processes fork, where its settings say so.

`AIRFLOW__CELERY__EXTRA_CELERY_CONFIG='{"imports": ["dayslice_airflow.celery_worker"]}'`
"""

from dayslice_airflow.warm import warm_up

warm_up()
