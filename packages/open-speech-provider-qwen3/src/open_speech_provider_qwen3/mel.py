"""The spectrogram that the speaker encoder looks at: 128 mel bands, 94 columns a second."""

from __future__ import annotations

import torch
from torch.nn import functional

from .weights import Tensor

SAMPLE_RATE = 24_000
WINDOW = 1024
HOP = 256
HIGHEST_HZ = 12_000.0
_FLOOR = 1e-5

# Slaney's scale: linear up to 1000 Hz (15 mel), 27 steps per factor of 6.4 above.
_LINEAR_HZ = 200.0 / 3.0
_BREAK_HZ = 1_000.0
_BREAK_MEL = _BREAK_HZ / _LINEAR_HZ
_LOG_STEP = torch.log(torch.tensor(6.4, dtype=torch.float64)).item() / 27.0


def log_mel(samples: Tensor, bands: int) -> Tensor:
    """Logarithm of the mel spectrogram. From ``(n,)`` at 24 kHz to ``(n // HOP, bands)``."""
    edge = (WINDOW - HOP) // 2
    padded = functional.pad(samples[None, None], (edge, edge), mode="reflect")[0]
    window = torch.hann_window(WINDOW, device=samples.device)
    spectrum = torch.stft(
        padded, WINDOW, HOP, window=window, center=False, onesided=True, return_complex=True
    )[0]
    size = torch.sqrt(torch.view_as_real(spectrum).pow(2).sum(-1) + 1e-9)
    mel = filters(bands).to(samples.device) @ size
    return torch.log(mel.clamp(min=_FLOOR)).T


def filters(bands: int) -> Tensor:
    """Triangles of equal area over the bins of the spectrum, shape ``(bands, WINDOW // 2 + 1)``."""
    bins = torch.linspace(0.0, SAMPLE_RATE / 2, WINDOW // 2 + 1, dtype=torch.float64)
    top = _mel(torch.tensor(HIGHEST_HZ, dtype=torch.float64)).item()
    points = _hertz(torch.linspace(0.0, top, bands + 2, dtype=torch.float64))
    widths = points.diff()
    ramps = points[:, None] - bins[None, :]
    rising = -ramps[:-2] / widths[:-1, None]
    falling = ramps[2:] / widths[1:, None]
    triangles = torch.minimum(rising, falling).clamp(min=0.0)
    return (triangles * (2.0 / (points[2:] - points[:-2]))[:, None]).float()


def _mel(hertz: Tensor) -> Tensor:
    above = _BREAK_MEL + torch.log(hertz.clamp(min=_BREAK_HZ) / _BREAK_HZ) / _LOG_STEP
    return torch.where(hertz < _BREAK_HZ, hertz / _LINEAR_HZ, above)


def _hertz(mel: Tensor) -> Tensor:
    above = _BREAK_HZ * torch.exp(_LOG_STEP * (mel - _BREAK_MEL))
    return torch.where(mel < _BREAK_MEL, mel * _LINEAR_HZ, above)
