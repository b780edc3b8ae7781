"""How web and e-mail addresses are written, in every language."""

from __future__ import annotations

import re

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# Without "http" or "www" only these end an address: none of them is a word that a sentence could
# begin with right after a stop ("done.In the end").
_DOMAINS = (
    "com|org|net|edu|gov|mil|int|info|biz|io|dev|app|ai|co|tv|fm|gg|xyz|cloud|online|site|tech"
    "|store|blog|wiki|uk|de|fr|es|nl|eu|ch|ca|au|nz|jp|cn|ru|br|mx|pl|se|dk|fi|cz|kr|za|ie|pt|gr"
)
_PATH = r"(?:[/?#](?:[^\s<>\"]{0,2000}[^\s<>\".,;:!?)\]'’”*_])?)?"  # noqa: RUF001 - quotes
URL = re.compile(
    r"(?<![\w.@/%+-])(?:"
    rf"(?P<scheme>https?|ftp)://(?P<host>{_LABEL}(?:\.{_LABEL}){{0,8}})"
    rf"|(?P<web>www(?:\.{_LABEL}){{1,8}})"
    rf"|(?P<bare>(?:{_LABEL}\.){{1,8}}(?:{_DOMAINS})(?![\w@-]|\.\w))"
    rf")(?::(?P<port>\d{{1,5}}))?(?P<path>{_PATH})",
    re.IGNORECASE,
)
EMAIL = re.compile(
    r"(?<![\w.%+-])(?:mailto:)?(?P<name>[A-Za-z0-9._%+-]{1,64}+)@"
    rf"(?P<host>(?:{_LABEL}\.){{1,8}}[A-Za-z]{{2,24}})(?![\w@-])",
    re.IGNORECASE,
)
