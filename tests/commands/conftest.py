from tests.sql.conftest import emptied, make_project

__all__ = ["emptied", "make_project"]
