"""Superset's configuration. DAYSLICE_SUPERSET_CONFIG names a Python file with a company's own: it is read last."""

import json
import os
from pathlib import Path

from sqlalchemy.dialects import registry

HOME = Path(os.environ["SUPERSET_HOME"])
SETTINGS = json.loads((HOME / "settings.json").read_text())
SECRETS = json.loads((HOME / "secrets.json").read_text())

registry.register("duckdb.dayslice", "dayslice_superset.dialect", "SliceDialect")

SECRET_KEY = SECRETS["secret_key"]
# Its own database: users, dashboards, charts. Several nodes need PostgreSQL.
SQLALCHEMY_DATABASE_URI = os.environ.get("DAYSLICE_SUPERSET_DATABASE") or f"sqlite:///{HOME / 'superset.db'}?timeout=60"
SQLALCHEMY_TRACK_MODIFICATIONS = False

APP_NAME = "Dayslice"
WTF_CSRF_ENABLED = True
RATELIMIT_ENABLED = True
# Nothing is told to anybody, and no page asks the world for anything.
SCARF_ANALYTICS = False
CONTENT_SECURITY_POLICY_WARNING = False
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'", "data:"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}
SESSION_COOKIE_SAMESITE = "Lax"
# A browser keeps one cookie a name and host, whatever the port.
SESSION_COOKIE_NAME = f"dayslice_superset_{SETTINGS['port']}"

ROW_LIMIT = 10_000
SQL_MAX_ROW = 100_000
DEFAULT_SQLLAB_LIMIT = 1_000
QUERY_SECONDS = int(SETTINGS["query_seconds"])
SQLLAB_TIMEOUT = QUERY_SECONDS + 5
SUPERSET_WEBSERVER_TIMEOUT = QUERY_SECONDS + 30


def _cache(name: str, seconds: int) -> dict[str, object]:
    # On one machine files do; a shared server is for several nodes.
    return {
        "CACHE_TYPE": "FileSystemCache",
        "CACHE_DIR": str(HOME / "cache" / name),
        "CACHE_DEFAULT_TIMEOUT": seconds,
        "CACHE_THRESHOLD": 2_000,
    }


# A chart's answer is kept for a day: a publication makes its dataset's answers anew (`freshness.py`).
DATA_CACHE_CONFIG = _cache("data", 24 * 60 * 60)
CACHE_CONFIG = _cache("metadata", 60 * 60)
FILTER_STATE_CACHE_CONFIG = {**_cache("filters", 90 * 24 * 60 * 60), "REFRESH_TIMEOUT_ON_RETRIEVAL": True}
EXPLORE_FORM_DATA_CACHE_CONFIG = {**_cache("explore", 7 * 24 * 60 * 60), "REFRESH_TIMEOUT_ON_RETRIEVAL": True}

FEATURE_FLAGS = {
    "ALERT_REPORTS": False,
    # Jinja in queries reaches into the process that renders it.
    "ENABLE_TEMPLATE_PROCESSING": False,
    "DASHBOARD_VIRTUALIZATION": False,
}

if own := os.environ.get("DAYSLICE_SUPERSET_CONFIG"):
    exec(compile(Path(own).read_text(), own, "exec"))
