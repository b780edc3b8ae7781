"""What can go wrong in an installation, and pip's output as one sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import InvalidRequest, OpenSpeechError, ProviderError
from ._records import Clash

_VERSIONS_SHOWN = 5
_TAIL_LINES = 30


class InstallFailed(ProviderError):
    """A provider could not be installed; nothing of it was left behind."""

    code = "install_failed"


class InstallCancelled(OpenSpeechError):
    """The installation was stopped by whoever asked for it; nothing of it was left behind."""

    code = "install_cancelled"


class InstallClash(InvalidRequest):
    """The base environment cannot take the provider without changing what is there."""

    code = "install_clash"

    def __init__(self, clash: Clash) -> None:
        super().__init__(str(clash), param="requirement")
        self.clash = clash


def failure(requirement: str, lines: Sequence[str]) -> InstallFailed:
    """The error for a failed installation: which requirement, why, and pip's last lines."""
    message, hint = _explain(requirement, lines)
    return InstallFailed(message, hint=hint, detail="\n".join(lines[-_TAIL_LINES:]))


def _explain(requirement: str, lines: Sequence[str]) -> tuple[str, str]:
    text = "\n".join(lines)
    for explain in (_conflict, _unknown, _wrong_python, _unbuildable, _no_space, _managed):
        found = explain(requirement, text)
        if found is not None:
            return found
    errors = [line for line in lines if line.lower().startswith("error:")]
    reason = errors[-1].split(":", 1)[1].strip() if errors else "pip gave no reason"
    return f"Installing {requirement} failed: {reason.rstrip('.')}.", "The log has pip's output."


def _conflict(requirement: str, text: str) -> tuple[str, str] | None:
    if "ResolutionImpossible" not in text and "conflicting dependencies" not in text:
        return None
    found = re.search(r"The conflict is caused by:\n((?:[ \t]+\S.*\n?)+)", text)
    causes = [line.strip() for line in found[1].splitlines()] if found else []
    why = f": {'; '.join(causes)}" if causes else ""
    return (
        f"{requirement} cannot be installed because its requirements contradict each other{why}.",
        "Ask for another version of it.",
    )


def _unknown(requirement: str, text: str) -> tuple[str, str] | None:
    found = re.search(
        r"No matching distribution found for (.+?)(?: \(from .+\))?\s*$", text, re.MULTILINE
    )
    if not found:
        return None
    wanted = found[1].strip()
    cause = "" if wanted == requirement else f" (needed by {requirement})"
    if _unreachable(text):
        return (
            f"{wanted}{cause} was not found: the package index could not be reached.",
            "Check the network and pip's settings (`pip config list`).",
        )
    offered = re.search(r"satisfies the requirement .+ \(from versions: (.+)\)", text)
    if offered is None or offered[1] == "none":
        return (
            f"No package index has {wanted}{cause} for this Python and machine.",
            "Check the spelling, and pip's settings (`pip config list`).",
        )
    newest = ", ".join(offered[1].split(", ")[-_VERSIONS_SHOWN:])
    return f"There is no {wanted}{cause}.", f"The newest versions for this Python are {newest}."


def _unreachable(text: str) -> bool:
    return "Retrying (Retry(" in text or "Could not fetch URL" in text


def _wrong_python(requirement: str, text: str) -> tuple[str, str] | None:
    found = re.search(r"Package '(.+?)' requires a different Python: (\S+) not in '(.+?)'", text)
    if not found:
        return None
    needs = f"{found[1]} needs Python {found[3]}, this is {found[2]}"
    return (
        f"{requirement} cannot be installed: {needs}.",
        "Run Open Speech with such a Python, or ask for another version.",
    )


def _unbuildable(requirement: str, text: str) -> tuple[str, str] | None:
    found = (
        re.search(r"Failed building (?:editable )?wheel for (\S+)", text)
        or re.search(r"Failed to build '(.+?)'", text)
        or re.search(r"Failed to build installable wheels for some .*projects \((.+?)\)", text)
    )
    step = re.search(r"(?m)^\s*\S (.+?) did not run successfully", text)
    if not found and not step:
        return None
    last = re.findall(r"^(?:Collecting|Processing) (\S+)", text, re.MULTILINE)
    culprit = found[1] if found else (last[-1] if last else requirement)
    needed = "" if culprit == requirement else f" (needed by {requirement})"
    at = f", at '{step[1]}'" if step and not found else ""
    what = f"{culprit}{needed} has no ready-made package for this machine"
    return (
        f"{what} and could not be built from source{at}.",
        "It may need a compiler or the headers of a system library; the log has its output.",
    )


def _no_space(requirement: str, text: str) -> tuple[str, str] | None:
    if "No space left on device" not in text:
        return None
    return (
        f"Installing {requirement} failed: the disk is full.",
        "Free some space in the data folder and the temporary folder, then try again.",
    )


def _managed(requirement: str, text: str) -> tuple[str, str] | None:
    if "externally-managed-environment" not in text:
        return None
    why = "the operating system manages this Python's packages"
    return (
        f"{requirement} cannot be installed here: {why}.",
        "Install it with --isolated, or run Open Speech from a virtual environment.",
    )
