"""What a setting may be: types with the checks that the operator's text must pass."""

from __future__ import annotations

import ipaddress
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, SecretStr, StringConstraints

from open_speech import ModelId
from open_speech.errors import InvalidModelId

from .compat import ALLOWABLE, COMPAT


@dataclass(frozen=True)
class Must:
    """What a text must be, as the end of the sentence "It must be ..."."""

    be: str


def unquoted(text: str) -> str:
    """A text without blanks around it, and without the quotes that ``docker run --env-file`` keeps.

    What is quoted inside of a value stays.
    """
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" and text[0] not in text[1:-1]:
        return text[1:-1].strip()
    return text


def _home(path: Path) -> Path:
    """The path with ``~`` filled in, and ``$HOME`` too, which no shell has done."""
    first, *rest = path.parts or (".",)
    if first in {"$HOME", "${HOME}"}:
        path = Path("~", *rest)
    elif "$" in first:
        raise ValueError(f"must be a path as it is: {first[:64]!a} is not filled in here")
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError("must be set, since this user has no home directory") from None


def listed(text: str) -> tuple[str, ...]:
    """The parts of a text between commas, without blank ones."""
    return tuple(part for part in (piece.strip() for piece in text.split(",")) if part)


def _models(text: str) -> str:
    if not (names := listed(text)):
        raise ValueError
    return ",".join(names)


def _origins(text: str) -> str:
    origins = [origin.rstrip("/") for origin in listed(text)]
    if not all(re.fullmatch(r"\*|null|[a-z][a-z0-9+.-]*://[^\s/?#*]+", one) for one in origins):
        raise ValueError
    return ",".join(origins)


def _proxies(text: str) -> str:
    """Normalise to ``false``, ``true`` or a comma separated list of networks."""
    if text.lower() in {"0", "false", "no", "off"}:
        return "false"
    if text.lower() in {"1", "true", "yes", "on"}:
        return "true"
    networks = [ipaddress.ip_network(part) for part in listed(text)]
    if any(network.prefixlen == 0 for network in networks):
        raise ValueError("must not include all addresses: any client could then forge its own")
    return ",".join(map(str, networks))


def _networks(text: str) -> str:
    networks = [ipaddress.ip_network(part) for part in listed(text)]
    if not networks:
        raise ValueError
    return ",".join(map(str, networks))


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _token(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()
    if not text or re.search(r"[\s\x00-\x1f\x7f]", text):
        raise ValueError
    return SecretStr(text)


def _options(tables: object) -> object:
    """Make numbers and truth values of texts that are just that."""
    if not isinstance(tables, dict) or not all(isinstance(each, dict) for each in tables.values()):
        return tables
    return {
        provider: {name: _plain(value) for name, value in table.items()}
        for provider, table in tables.items()
    }


def _plain(value: object) -> object:
    """The number or truth value that a text is, if writing that down gives the same text."""
    if not isinstance(value, str):
        return value
    value = unquoted(value)
    if value.lower() in {"true", "false"}:
        return value.lower() == "true"
    for kind in (int, float):
        try:
            found = kind(value)
        except ValueError:
            continue
        if str(found) == value and math.isfinite(found):
            return found
    return value


def local_paths(text: str) -> dict[str, Path]:
    """The paths by their names out of ``name=path,name=path``; ValueError says what is wrong."""
    found: dict[str, Path] = {}
    for pair in listed(text):
        name, _, written = (part.strip() for part in pair.partition("="))
        if not written:
            raise ValueError
        try:
            parsed = ModelId.parse(name)
        except InvalidModelId:
            parsed = None
        if parsed is None or parsed.revision:
            raise ValueError(f"must give names like local/my-voice, which {name[:64]!a} is not")
        if name in found:
            raise ValueError(f"must name each model once, and {name} is there twice")
        found[name] = _home(Path(written)).absolute()
        if not _exists(found[name]):
            raise ValueError(f"must name paths that exist, which {written[:256]!a} does not")
    return found


def model_aliases(text: str) -> dict[str, str]:
    """The models by their further names out of ``name=model,name=model``."""
    found: dict[str, str] = {}
    for pair in listed(text):
        name, _, model = (part.strip() for part in pair.partition("="))
        if not name or not model:
            raise ValueError
        if name in found:
            raise ValueError(f"must give each name once, and {name[:64]} is there twice")
        found[name] = model
    return found


def _aliases(text: str) -> str:
    model_aliases(text)
    return text


def _compat(name: str) -> str:
    if name not in COMPAT:
        raise ValueError
    return name


def _compat_allow(text: str) -> str:
    words = [word for word in listed(text) if word != "none"]
    if not set(words) <= set(ALLOWABLE):
        raise ValueError
    return ",".join(words)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # its name is too long, or it is not for us to see
        return False


def _local(text: str) -> str:
    local_paths(text)
    return text


def _presets(path: Path) -> Path:
    from .presets import read_presets

    read_presets(path)
    return path


def _pronunciations(path: Path) -> Path:
    from open_speech.text.pronunciations import Pronunciations

    try:
        Pronunciations.read(path)
    except OSError:
        raise ValueError("must name a file that can be read") from None
    return path


Device = Annotated[
    str,
    BeforeValidator(_lower),
    StringConstraints(pattern=r"^(cpu|cuda(:[0-9]{1,2})?)$"),
    Must("cpu, cuda or cuda:N"),
]
Folder = Annotated[Path, AfterValidator(_home)]
ModelNames = Annotated[
    str, AfterValidator(_models), Must("the name of a model, or several separated by commas")
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
Origins = Annotated[
    str, AfterValidator(_origins), Must("* or origins like https://example.org, commas between")
]
Proxies = Annotated[
    str,
    AfterValidator(_proxies),
    Must("false, true or networks like 10.1.0.0/16, separated by commas"),
]
Networks = Annotated[
    str,
    AfterValidator(_networks),
    Must("networks like 192.168.0.0/16, separated by commas"),
]
Secret = Annotated[SecretStr, AfterValidator(_token)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]
LogFormat = Annotated[Literal["console", "json"], BeforeValidator(_lower)]
UnsupportedOptions = Annotated[Literal["ignore", "refuse"], BeforeValidator(_lower)]
Isolation = Annotated[Literal["model", "none"], BeforeValidator(_lower)]
Options = Annotated[
    dict[str, dict[str, str | int | float | bool]],
    BeforeValidator(_options),
    Must("set as OS_OPTIONS__PROVIDER__NAME, or JSON of an object for each provider"),
]
LocalPaths = Annotated[
    str, AfterValidator(_local), Must("name=path, or several separated by commas")
]
CompatName = Annotated[
    str, BeforeValidator(_lower), AfterValidator(_compat), Must(" or ".join(COMPAT))
]
CompatAllow = Annotated[
    str,
    BeforeValidator(_lower),
    AfterValidator(_compat_allow),
    Must(f"some of {', '.join(ALLOWABLE)}, separated by commas, or none"),
]
ModelAliases = Annotated[
    str, AfterValidator(_aliases), Must("name=model, or several separated by commas")
]
PresetFile = Annotated[Path, AfterValidator(_home), AfterValidator(_presets)]
PronunciationFile = Annotated[Path, AfterValidator(_home), AfterValidator(_pronunciations)]
