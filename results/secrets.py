"""What must not be shown or recorded."""

from __future__ import annotations

from urllib.parse import unquote, urlparse

HIDDEN = "***"


def without_password(uri: str) -> str:
    """A tracking URI that may be printed and recorded."""
    return masked(uri, uri)


def masked(text: str, uri: str) -> str:
    """A text in which the password of a tracking URI does not stand."""
    password = urlparse(uri).password
    if not password:
        return text
    return text.replace(password, HIDDEN).replace(unquote(password), HIDDEN)
