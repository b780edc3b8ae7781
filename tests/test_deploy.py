"""What is shipped to be run in containers agrees with the code, the seed's cases and itself."""

from __future__ import annotations

import importlib
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from open_speech import Capability
from open_speech._plugins.discovery import installed_providers, load_backends
from open_speech_server.settings.settings import Settings
from rules.repository import ROOT
from test_compose_cases import CASES as ENVIRONMENTS

DEPLOY = ROOT / "deploy"
COMPOSE = sorted(DEPLOY.glob("compose/**/*.yaml"))
CASES = {
    "minimal": "minimal",
    "balanced": "balanced",
    "gpu": "workstation",
    "voice-cloning": "cloning",
    "split-device": "split",
}
"""The files of the seed's five cases -> the environments that the tests run."""
INSTEAD = {"voice-cloning": {"TTS_MODEL": "qwen3-tts-0.6b-base"}}
"""Where a file differs: the seed's name is a checkpoint with preset voices, which clones nobody."""
IMAGE = "${OPEN_SPEECH_IMAGE:-jwindsor1/open-speech:latest}"
MOUNT = "/root/.cache/open-speech"
OURS = re.compile(r"OS|STT|TTS|HF|OPEN_SPEECH")
ADDRESS = re.compile(r"(https?:|\bwww\.|[a-z0-9-]+\.(org|com|io|net)\b)")


def services(path: Path) -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load(path.read_text())["services"])


def ours(path: Path) -> dict[str, Any]:
    return services(path)["open-speech"]


def variables(service: dict[str, Any]) -> dict[str, str]:
    return dict(line.split("=", 1) for line in service["environment"])


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile: each instruction with its arguments, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    pairs = (line.split(maxsplit=1) for line in lines if line.strip())
    return [(verb, rest) for verb, rest in pairs]


def final_stage() -> list[tuple[str, str]]:
    found = instructions()
    start = max(place for place, (verb, _) in enumerate(found) if verb == "FROM")
    return found[start:]


def image_environment() -> dict[str, str]:
    words = [shlex.split(rest) for verb, rest in final_stage() if verb == "ENV"]
    return dict(word.split("=", 1) for each in words for word in each)


def pins(name: str) -> dict[str, str]:
    lines = (DEPLOY / name).read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_every_variable_is_a_setting(path: Path) -> None:
    names = {name for name in variables(ours(path)) if OURS.match(name)}
    assert names
    assert names <= {field.upper() for field in Settings.model_fields}


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_every_example_is_locked_down_and_watched(path: Path) -> None:
    service = ours(path)
    assert service["image"] == IMAGE
    assert service["volumes"] == [f"models:{MOUNT}"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"] == ["/tmp"]
    assert service["healthcheck"]["test"] == ["CMD", "open-speech", "health"]
    # Named, so that changing from one case to another keeps what was fetched.
    volumes = yaml.safe_load(path.read_text())["volumes"]
    assert volumes["models"] == {"name": "open-speech-models"}
    drain = Settings.model_fields["os_drain_s"].default
    assert int(service["stop_grace_period"].removesuffix("s")) > drain


@pytest.mark.parametrize("name", CASES)
def test_the_cases_have_the_environments_that_are_tested(name: str) -> None:
    found = variables(ours(DEPLOY / "compose" / f"{name}.yaml"))
    assert found.pop("OS_API_KEY") == "${OS_API_KEY:-}"
    assert found == {**ENVIRONMENTS[CASES[name]], **INSTEAD.get(name, {})}


def test_the_case_for_cloning_clones() -> None:
    pytest.importorskip("open_speech_provider_qwen3", reason="that provider is not installed")
    named = variables(ours(DEPLOY / "compose" / "voice-cloning.yaml"))["TTS_MODEL"]
    backends = (each for provider in installed_providers() for each in load_backends(provider))
    (model,) = (m for backend in backends for m in backend.list_available() if m.id == named)
    assert Capability.VOICE_CLONE in model.capabilities


def test_the_cases_differ_in_nothing_but_environment_and_devices() -> None:
    def rest(name: str) -> dict[str, Any]:
        whole = yaml.safe_load((DEPLOY / "compose" / f"{name}.yaml").read_text())
        service = whole["services"]["open-speech"]
        devices = service.pop("deploy", None)
        assert bool(devices) == ("cuda" in service.pop("environment").__str__())
        return dict(whole)

    assert all(rest(name) == rest("minimal") for name in CASES)


def test_the_file_at_the_root_is_the_balanced_case() -> None:
    balanced = yaml.safe_load((DEPLOY / "compose" / "balanced.yaml").read_text())
    assert yaml.safe_load((ROOT / "compose.yaml").read_text()) == balanced


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.relative_to(DEPLOY).as_posix())
def test_neighbours_reach_the_server_as_it_serves(path: Path) -> None:
    text = path.read_text()
    plain = variables(ours(path)).get("OS_SSL_ENABLED") == "false"
    assert plain == (len(services(path)) > 1), "only what nobody else reaches may do without TLS"
    for scheme, port in re.findall(r"(https?)://open-speech:(\d+)", text):
        assert (scheme, int(port)) == ("http", Settings.model_fields["os_port"].default)


def test_the_proxy_cuts_off_headers_that_trickle_in_and_no_long_answers() -> None:
    text = (DEPLOY / "compose" / "reverse-proxy" / "Caddyfile").read_text()
    text = re.sub(r"#.*", "", text)
    match = re.search(r"read_header (\d+)s", text)
    assert match is not None
    assert int(match[1]) <= 30
    assert not re.search(r"\b(read_body|write)\b", text)
    compose = DEPLOY / "compose" / "reverse-proxy" / "compose.yaml"
    networks = yaml.safe_load(compose.read_text())["networks"]
    (subnet,) = networks["inside"]["ipam"]["config"]
    assert variables(ours(compose))["OS_TRUST_PROXY"] == subnet["subnet"]
    assert "ports" not in ours(compose)


def test_nginx_passes_bodies_on_so_that_the_server_sees_their_pace() -> None:
    text = (DEPLOY / "compose" / "reverse-proxy" / "nginx.conf").read_text()
    lines = [line.partition("#")[0].strip().rstrip(";").split() for line in text.splitlines()]
    found = {line[0]: line[1:] for line in lines if line}
    assert int(found["client_header_timeout"][0].removesuffix("s")) <= 30
    for name in ("lingering_close", "proxy_buffering", "proxy_request_buffering"):
        assert found[name] == ["off"]
    assert found["proxy_pass"] == ["http://open-speech:8100"]


def test_the_first_process_reaps_and_forwards() -> None:
    (entry,) = (rest for verb, rest in final_stage() if verb == "ENTRYPOINT")
    assert entry == '["tini", "--", "open-speech"]'
    (command,) = (rest for verb, rest in final_stage() if verb == "CMD")
    assert command == '["serve"]'


def test_the_image_runs_as_nobody_in_particular() -> None:
    verbs = dict(final_stage())
    assert verbs["USER"] == "1000:0"
    assert verbs["VOLUME"] == f'["{MOUNT}"]'
    assert image_environment()["PYTHONDONTWRITEBYTECODE"] == "1"
    assert image_environment()["HOME"] == "/root"


def test_the_image_sets_nothing_that_an_older_name_could_not_win_over() -> None:
    ours = {name for name in image_environment() if OURS.match(name)}
    # Earlier versions had no other name for the port of Wyoming.
    assert ours == {"OS_MODEL_DIR", "OS_DATA_DIR", "OS_WYOMING_PORT"}
    assert image_environment()["OS_MODEL_DIR"] == MOUNT
    assert image_environment()["OS_DATA_DIR"].startswith(f"{MOUNT}/")


def test_the_image_asks_and_exposes_where_the_server_listens() -> None:
    verbs = dict(final_stage())
    ports = [Settings.model_fields["os_port"].default, image_environment()["OS_WYOMING_PORT"]]
    assert verbs["EXPOSE"].split() == [str(port) for port in ports]
    assert verbs["HEALTHCHECK"].endswith('CMD ["open-speech", "health"]')


def test_the_image_is_built_from_what_is_pinned() -> None:
    found = instructions()
    assert not [rest for verb, rest in found if verb == "ADD"]
    text = "\n".join(rest for _, rest in found)
    assert "ffmpeg" not in text
    assert not re.search(r"\b(curl|wget|git)\b", text)
    assert not ADDRESS.search(text)
    assert found[0] == ("ARG", "BASE_IMAGE=debian:bookworm-slim")
    bases = [rest.split()[0] for verb, rest in found if verb == "FROM"]
    assert set(bases) == {"${BASE_IMAGE}", "base"}
    installs = re.findall(r"pip[^&;]* install [^&;]*", text)
    assert installs
    assert all("--no-deps" in line for line in installs)


@pytest.mark.parametrize(
    "path", sorted(DEPLOY.glob("constraints*.txt")), ids=lambda path: path.name
)
def test_constraints_are_versions_and_nothing_else(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert all(re.fullmatch(r"#.*|[a-z0-9-]+==[0-9][0-9a-z.]*", line) for line in lines)
    names = [line.split("==")[0] for line in lines if not line.startswith("#")]
    assert names == sorted(set(names))


def test_what_is_pinned_is_what_the_distributions_ask_for() -> None:
    pinned = pins("constraints.txt")
    for file in [*ROOT.glob("packages/*/pyproject.toml"), *ROOT.glob("apps/*/pyproject.toml")]:
        project = tomllib.loads(file.read_text())["project"]
        extras = project.get("optional-dependencies", {})
        wanted = list(project["dependencies"])
        if project["name"] == "open-speech-core":
            wanted += [line for extra in ("audio", "hub", "text") for line in extras[extra]]
        for text in wanted:
            requirement = Requirement(text)
            here = {"python_version": "3.11", "sys_platform": "linux"}
            if requirement.name.startswith("open-speech") or (
                requirement.marker and not requirement.marker.evaluate(here)
            ):
                continue
            name = canonicalize_name(requirement.name)
            assert name in pinned, f"{file}: renew the pins, {text} is not among them"
            assert requirement.specifier.contains(pinned[name]), f"{file}: {text}"


def test_what_cuda_adds_is_not_in_the_cpu_image() -> None:
    more, all_ = pins("constraints-cuda.txt"), pins("constraints.txt")
    assert not set(more) & set(all_)
    assert "nvidia-cublas-cu12" in more
    assert not [name for name in all_ if name.startswith(("nvidia-", "triton"))]


def test_a_build_of_torch_without_cuda_pins_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DEPLOY)
    pin = importlib.import_module("pin")
    whole = {"torch": {"version": "2.13.0"}, "nvidia-cudnn-cu13": {"version": "9.20.0"}}
    pin.require_cuda(whole)
    assert pin.versions(whole) == {"torch": "2.13.0", "nvidia-cudnn-cu13": "9.20.0"}
    for lacking in ({"torch": {"version": "2.13.0+cpu"}}, {"torch": {"version": "2.13.0"}}):
        with pytest.raises(SystemExit, match="without CUDA"):
            pin.require_cuda(lacking)


def test_every_case_is_tried_in_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DEPLOY)
    tried = importlib.import_module("smoke_cases")
    assert set(tried.CASES) == set(CASES)
    for name in CASES:
        wanted = variables(ours(DEPLOY / "compose" / f"{name}.yaml"))
        assert tried.environment(name) == {k: v for k, v in wanted.items() if k != "OS_API_KEY"}


def test_the_table_of_licences_is_that_of_the_image() -> None:
    text = (ROOT / "docs" / "reference" / "licenses.md").read_text()
    listed = dict(re.findall(r"^\| ([\w.-]+) \| ([0-9][\w.+]*) \|", text, re.MULTILINE))
    versions = {canonicalize_name(name): version for name, version in listed.items()}
    for name, version in pins("constraints.txt").items():
        assert versions[canonicalize_name(name)].partition("+")[0] == version, (
            f"{name}: renew the table"
        )
    assert "not known" not in text
