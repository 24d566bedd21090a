"""What must not be shown or recorded."""

from __future__ import annotations

from urllib.parse import urlparse

HIDDEN = "***"


def without_password(uri: str) -> str:
    """A tracking URI that may be printed and recorded."""
    parts = urlparse(uri)
    if not parts.password:
        return uri
    return parts._replace(netloc=parts.netloc.replace(parts.password, HIDDEN)).geturl()
