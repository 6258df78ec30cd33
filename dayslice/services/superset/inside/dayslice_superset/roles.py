"""Who may do what. Superset's own roles, and Analyst: dashboards, and SQL Lab on the published schemas."""

from collections.abc import Iterable, Mapping
from typing import Any

from superset import security_manager
from superset.extensions import appbuilder, db
from superset.models.core import Database

ANALYST = "Analyst"
# What an analyst has of Superset's roles: looking at dashboards and charts, and asking in SQL Lab.
_LIKE = ("Gamma", "sql_lab")
SERVICE = "dayslice"


def make_roles() -> None:
    """Superset's roles as this release defines them, and Analyst with what these give."""
    # Made with the application too, but for a database that was not there yet.
    appbuilder.add_permissions(update_perms=True)
    security_manager.sync_role_definitions()
    role = security_manager.add_role(ANALYST)
    role.permissions = sorted(
        {each for name in _LIKE for each in security_manager.find_role(name).permissions}, key=lambda each: each.id
    )
    db.session.commit()


def make_users(secrets: Mapping[str, str]) -> None:
    """The admin, with the password that was shown; and the owner of what comes from files, whom nobody logs in as."""
    admin = security_manager.find_role("Admin")
    _make_user("admin", "Admin", secrets["admin_password"], admin)
    _make_user(SERVICE, "Dayslice", secrets["service_password"], admin)


def _make_user(name: str, first: str, password: str, role: Any) -> None:
    user = security_manager.find_user(username=name)
    if user is None:
        security_manager.add_user(name, first, "", f"{name}@localhost", role, password=password)
    else:
        security_manager.reset_password(user.id, password)


def grant_schemas(databases: Mapping[str, Iterable[str]]) -> None:
    """Let analysts read these schemas of these databases, by name, and no others."""
    role = security_manager.find_role(ANALYST)
    wanted = []
    for database in db.session.query(Database).filter(Database.database_name.in_(list(databases))):
        catalog = database.get_default_catalog()
        for schema in databases[database.database_name]:
            name = security_manager.get_schema_perm(database.database_name, catalog, schema)
            wanted.append(security_manager.add_permission_view_menu("schema_access", name))
    kept = [each for each in role.permissions if each.permission.name != "schema_access"]
    role.permissions = [*kept, *wanted]
    db.session.commit()
