"""The settings of docs/nodes.md name what is there. What they do on three nodes: tests/nodes."""

import importlib.util
import json
from collections import defaultdict

from tests.nodes.node import documented


def test_settings_of_nodes_name_what_is_there():
    node, head = (documented(file, defaultdict(lambda: "given")) for file in ("node.env", "head.env"))
    [bundle] = json.loads(node["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])
    module, _, name = bundle["classpath"].rpartition(".")
    assert name == "DeploymentBundle"
    imports = json.loads(node["AIRFLOW__CELERY__EXTRA_CELERY_CONFIG"])["imports"]
    for each in (module, *imports):
        assert importlib.util.find_spec(each), each
    assert node["AIRFLOW__CORE__DAGS_FOLDER"] == f"{node['DAYSLICE_HOME']}/deployed/{node['DAYSLICE_TARGET']}/dags"
    assert not node.keys() & head.keys()
    assert not [name for name in node if "SECRET" in name or "FERNET" in name], "workers have no key of Airflow's"
