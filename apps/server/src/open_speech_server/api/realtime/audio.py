"""Sound as realtime clients send and take it: 16-bit PCM, or G.711 as telephones have it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from open_speech import Audio, Samples
from open_speech.codecs.encode import to_pcm16

from ..live.feed import pcm16

PCM, MU_LAW, A_LAW = "audio/pcm", "audio/pcmu", "audio/pcma"
TELEPHONE_RATE = 8_000
_BETA = {"pcm16": PCM, "g711_ulaw": MU_LAW, "g711_alaw": A_LAW}
_FULL_SCALE = np.float32(32768.0)


@dataclass(frozen=True)
class AudioFormat:
    """How samples are written."""

    kind: str = PCM
    rate: int = 24_000

    @staticmethod
    def of_beta(name: str) -> AudioFormat | None:
        """The format that the beta protocol names so."""
        kind = _BETA.get(name)
        if kind is None:
            return None
        return AudioFormat(kind, 24_000 if kind == PCM else TELEPHONE_RATE)

    @property
    def beta_name(self) -> str:
        """What the beta protocol names it."""
        return next(name for name, kind in _BETA.items() if kind == self.kind)

    @property
    def sample_bytes(self) -> int:
        """Bytes of a sample."""
        return 2 if self.kind == PCM else 1

    def as_json(self) -> dict[str, object]:
        """As it stands in a session."""
        return {"type": self.kind, "rate": self.rate} if self.kind == PCM else {"type": self.kind}

    def read(self, data: bytes) -> Audio:
        """Sound from bytes; an odd byte of PCM is dropped."""
        if self.kind == PCM:
            samples = pcm16(data)
        else:
            table = _MU_TABLE if self.kind == MU_LAW else _A_TABLE
            samples = table[np.frombuffer(data, np.uint8)]
        return Audio(samples=samples, sample_rate=self.rate)

    def write(self, samples: Samples) -> bytes:
        """Bytes of samples at the format's rate."""
        if self.kind == PCM:
            return to_pcm16(samples)
        pcm = np.frombuffer(to_pcm16(samples), "<i2").astype(np.int32)
        return (_to_mu_law(pcm) if self.kind == MU_LAW else _to_a_law(pcm)).tobytes()


def _mu_table() -> Samples:
    """Samples of all bytes (ITU-T G.711, µ-law)."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    value = np.where(code & 0x80, 0x84 - magnitude, magnitude - 0x84)
    return (value / _FULL_SCALE).astype(np.float32)


def _a_table() -> Samples:
    """Samples of all bytes (ITU-T G.711, A-law)."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment = (code & 0x70) >> 4
    magnitude = ((code & 0x0F) << 4) + 8
    magnitude = np.where(segment > 0, (magnitude + 0x100) << np.maximum(segment - 1, 0), magnitude)
    value = np.where(code & 0x80, magnitude, -magnitude)
    return (value / _FULL_SCALE).astype(np.float32)


def _to_mu_law(pcm: NDArray[np.int32]) -> NDArray[np.uint8]:
    sign = np.where(pcm < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(pcm), 32635) + 0x84
    segment = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (segment + 3)) & 0x0F
    code: NDArray[np.uint8] = (~(sign | (segment << 4) | mantissa) & 0xFF).astype(np.uint8)
    return code


def _to_a_law(pcm: NDArray[np.int32]) -> NDArray[np.uint8]:
    sign = np.where(pcm < 0, 0, 0x80)
    magnitude = np.minimum(np.where(pcm < 0, -pcm - 1, pcm), 32767)
    segment = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(np.int32) - 7, 0)
    shift = np.where(segment > 0, segment + 3, 4)
    code = (sign | (segment << 4) | ((magnitude >> shift) & 0x0F)) ^ 0x55
    written: NDArray[np.uint8] = code.astype(np.uint8)
    return written


_MU_TABLE, _A_TABLE = _mu_table(), _a_table()
