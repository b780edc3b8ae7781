"""The limits that a model manager keeps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How long models stay, what they may take, how long anybody waits. Times in seconds."""

    ttl_s: float = 300.0
    """A model unused for so long is unloaded; 0 is never."""
    max_loaded: int = 0
    """At most so many models are loaded; 0 is any number."""
    memory_budget_bytes: int = 0
    """Loaded models may hold so much main memory, as measured; 0 is no limit."""
    device_memory_budget_bytes: int = 0
    """Budget of accelerator memory, as the engines report it; 0 means no limit."""
    threads: int = 0
    """CPU threads for each loaded model; 0 leaves it to the engine."""
    queue_size: int = 64
    """At most so many requests use one model or wait for it."""
    load_wait_s: float = 25.0
    """A request waits so long for its model to be loaded."""
    load_timeout_s: float = 600.0
    """A load that takes longer has failed."""
    call_timeout_s: float = 300.0
    """A model that gives no result for so long hangs; its worker is ended."""
    drain_timeout_s: float = 30.0
    """An unload waits so long for requests under way."""
    session_grace_s: float = 5.0
    """What is fed to sessions of a model that is to go ends so long after they were told."""

    @property
    def has_budget(self) -> bool:
        """Whether memory is limited at all."""
        return bool(self.memory_budget_bytes or self.device_memory_budget_bytes)
