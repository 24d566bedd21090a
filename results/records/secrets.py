"""What must not be shown or recorded."""

from __future__ import annotations

import textwrap
from urllib.parse import unquote, urlparse

from spaces.errors import InputError

HIDDEN = "***"


def without_password(uri: str) -> str:
    """A tracking URI that may be printed and recorded."""
    return masked(uri, uri)


def in_a_line(error: Exception, uri: str, width: int = 300) -> str:
    """What went wrong with a tracking store, in one line that ends with a whole word."""
    words = masked(f"{type(error).__name__}: {error}", uri).splitlines()[0]
    return textwrap.shorten(words, width, placeholder=" …")


def refusal(error: Exception, uri: str) -> InputError:
    """What a command ends with that cannot do without its tracking store."""
    return InputError(masked(f"tracking={uri}: {error}", uri).splitlines()[0])


def masked(text: str, uri: str) -> str:
    """A text in which the password of a tracking URI does not stand."""
    password = urlparse(uri).password
    if not password:
        return text
    return text.replace(password, HIDDEN).replace(unquote(password), HIDDEN)
