"""Superset in one process: metadata database, roles, then the server. `python -m dayslice_superset.serve`.

Each of Superset's own commands would import everything anew, which is most of their time.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from superset.app import create_app

from dayslice_superset import config

# Superset's models can be imported only once there is an application: hence imports in functions.


class Server(BaseApplication):
    """gunicorn with one worker of some threads. More nodes are more of these, behind a balancer."""

    def __init__(self, app: Any):
        self.app = app
        super().__init__()

    def load_config(self) -> None:
        """gunicorn's settings."""
        settings = {
            "bind": f"127.0.0.1:{config.SETTINGS['port']}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": int(config.SETTINGS["threads"]),
            "timeout": config.SUPERSET_WEBSERVER_TIMEOUT,
            "graceful_timeout": 5,
            "preload_app": True,
            "control_socket_disable": True,
            "accesslog": None,
            "limit_request_line": 0,
            "limit_request_field_size": 0,
            "post_worker_init": lambda _: self.watch(),
        }
        for key, value in settings.items():
            if key in self.cfg.settings:
                self.cfg.set(key, value)

    def watch(self) -> None:
        """Begin to do what the inbox asks, in the worker."""
        from dayslice_superset.inbox import Inbox  # noqa: PLC0415

        Inbox(self.app, config.HOME).start()

    def load(self) -> Any:
        """The application, made before the worker is forked."""
        return self.app


def prepare(app: Any) -> None:
    """Bring the metadata database, roles and users to what this release needs; skipped when it has been done."""
    stamp = config.HOME / "prepared.json"
    wanted = {
        "release": config.SETTINGS["release"],
        "database": hashlib.sha256(config.SQLALCHEMY_DATABASE_URI.encode()).hexdigest(),
        "users": hashlib.sha256((config.HOME / "secrets.json").read_bytes()).hexdigest(),
    }
    if stamp.exists() and json.loads(stamp.read_text()) == wanted:
        return
    import superset  # noqa: PLC0415
    from flask_migrate import upgrade  # noqa: PLC0415

    from dayslice_superset.roles import make_roles, make_users  # noqa: PLC0415

    with app.app_context():
        upgrade(directory=str(Path(superset.__file__).parent / "migrations"))
        allow_one_name_in_two_schemas()
        make_roles()
        make_users(config.SECRETS)
    stamp.write_text(json.dumps(wanted))


def allow_one_name_in_two_schemas() -> None:
    """Drop a rule of Superset's first days, which its migrations drop on every database but SQLite: no two datasets of
    one name, though they were tables of two schemas.
    """
    from alembic.migration import MigrationContext  # noqa: PLC0415
    from alembic.operations import Operations  # noqa: PLC0415
    from sqlalchemy import inspect  # noqa: PLC0415
    from superset.extensions import db  # noqa: PLC0415

    if db.engine.dialect.name != "sqlite":
        return
    if not any(each["column_names"] == ["table_name"] for each in inspect(db.engine).get_unique_constraints("tables")):
        return
    naming = {"uq": "uq_%(table_name)s_%(column_0_name)s"}
    with db.engine.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("tables", naming_convention=naming) as table:
            table.drop_constraint("uq_tables_table_name", type_="unique")


def main() -> None:
    """Prepare and serve, for as long as this process lives."""
    app = create_app()
    prepare(app)
    from superset.extensions import db  # noqa: PLC0415

    with app.app_context():
        db.engine.dispose()  # a connection must not be shared with the worker
    Server(app).run()


if __name__ == "__main__":
    main()
