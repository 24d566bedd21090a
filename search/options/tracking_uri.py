"""``tracking=``: schemes that MLflow has a store for, checked before anything is imported."""

from __future__ import annotations

from spaces.errors import InputError, unknown

SCHEMES = ("sqlite", "postgresql", "mysql", "mssql", "http", "https", "databricks")
"""Of tracking URIs; databases may name a driver, as in ``postgresql+psycopg2``."""


def check_tracking(uri: str) -> None:
    """Raises InputError unless a tracking URI is empty or of a scheme that there is."""
    if not uri or uri == "databricks":
        return
    scheme, separator, _ = uri.partition("://")
    if not separator:
        raise InputError(
            f"tracking={uri}: write a URI, such as sqlite:///{uri.lstrip('/')}.db or http://host:5000"
        )
    if scheme.partition("+")[0] not in SCHEMES:
        raise unknown("scheme", scheme, SCHEMES, "tracking")
