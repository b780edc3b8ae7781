"""One transformer of the pair that writes codes: transformers' own Qwen3, fed with embeddings.

Upstream's talker turns positions by three axes (time, height, width), which are all equal in
speech, so that it is plain Qwen3. Only the cache of keys and values is ours: it can be laid out
once for all, which a captured CUDA graph needs, and depends on no version of the library.
"""

from __future__ import annotations

from inspect import signature
from typing import Any

import torch
from transformers import Qwen3Config, Qwen3Model
from transformers.models.qwen3.modeling_qwen3 import Qwen3RotaryEmbedding

from .configuration import Stack
from .weights import Tensor, Weights, on_meta

_FIRST_PLACES = 256
_CACHE = "cache" if "cache" in signature(Qwen3Model.forward).parameters else "past_key_values"
"""What transformers calls it: newer ones warn of the older name."""
EMBEDDINGS = {
    "text_embedding.weight": "the talker reads it",
    "codec_embedding.*": "the talker and the predictor read theirs",
}
"""Tensors among those of a stack that are not the stack's, and whose they are."""


class KeyValues:
    """Keys and values of one sequence, for each layer of shape ``(1, heads, capacity, size)``.

    Takes the part of transformers' ``Cache`` in the layers' eyes: they call ``update`` alone. A
    *fixed* cache hands out all its places, used or not, for a mask to choose from: its shapes and
    addresses never change. Any other hands out what is used, and grows.
    """

    def __init__(self, sizes: Stack, like: Tensor, places: int, *, fixed: bool) -> None:
        """``like``: a tensor of the right type and device. ``places``: how many to begin with."""
        self.length = 0
        self._fixed = fixed
        self._next = torch.zeros(1, dtype=torch.long, device=like.device)
        shape = (1, sizes.num_key_value_heads, places, sizes.head_dim)
        # What is masked out is still multiplied by zero, so it must be numbers.
        made = like.new_zeros if fixed else like.new_empty
        self._kept = [(made(shape), made(shape)) for _ in range(sizes.num_hidden_layers)]

    @property
    def capacity(self) -> int:
        """How many places there are."""
        return int(self._kept[0][0].shape[2])

    def get_seq_length(self, *_: Any) -> int:
        """How many places are used: asked by transformers 4."""
        return self.length

    def at(self, places: Tensor) -> None:
        """Where the next keys and values go; for a fixed cache, whose length is not looked at."""
        self._next = places

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Keep the keys and values of ``n`` new places; return those of all places to look at."""
        if self._fixed:
            kept = self._kept[layer]
            for place, new in zip(kept, (keys, values), strict=True):
                place.index_copy_(2, self._next, new)
            return kept
        end = self.length + keys.shape[2]
        kept_keys, kept_values = self._kept[layer]
        if end > kept_keys.shape[2]:
            kept_keys, kept_values = _doubled(kept_keys, end), _doubled(kept_values, end)
            self._kept[layer] = (kept_keys, kept_values)
        kept_keys[:, :, self.length : end] = keys
        kept_values[:, :, self.length : end] = values
        return kept_keys[:, :, :end], kept_values[:, :, :end]


def _doubled(kept: Tensor, needed: int) -> Tensor:
    larger = kept.new_empty((*kept.shape[:2], max(2 * kept.shape[2], needed), kept.shape[3]))
    larger[:, :, : kept.shape[2]] = kept
    return larger


class DecoderStack:
    """A Qwen3 transformer without its vocabulary."""

    def __init__(self, sizes: Stack, weights: Weights, prefix: str) -> None:
        """Raises BadWeights where the tensors below ``prefix`` are not those of the sizes."""
        config = _config(sizes)
        model = on_meta(Qwen3Model, config)
        model.embed_tokens = torch.nn.Identity()
        weights.fill(model, prefix, unused=EMBEDDINGS)
        # Its table is no weight but made from the sizes, so it must not stay on "meta".
        like = model.norm.weight
        model.rotary_emb = Qwen3RotaryEmbedding(config).to(like.device)
        self.sizes, self._model, self._like = sizes, model, like

    def cache(self, places: int = _FIRST_PLACES, *, fixed: bool = False) -> KeyValues:
        """A cache for one sequence."""
        return KeyValues(self.sizes, self._like, places, fixed=fixed)

    def read(self, x: Tensor, cache: KeyValues) -> Tensor:
        """Go on with ``n`` embeddings ``(1, n, hidden)``; the state after each, of that shape.

        Several embeddings at once are for the start of a sequence only.
        """
        places = torch.arange(cache.length, cache.length + x.shape[1], device=x.device)
        state = self._run(x, cache, places, None)
        cache.length += x.shape[1]
        return state

    def read_at(self, x: Tensor, cache: KeyValues, places: Tensor) -> Tensor:
        """The same with a fixed cache: ``places`` ``(n,)`` says where, and shapes never change."""
        cache.at(places)
        seen = torch.arange(cache.capacity, device=x.device)[None, :] <= places[:, None]
        return self._run(x, cache, places, seen[None, None])

    def _run(self, x: Tensor, cache: KeyValues, places: Tensor, mask: Tensor | None) -> Tensor:
        done = self._model(
            inputs_embeds=x,
            # A mask by kind is taken as it is; None means: causal at the start, all later.
            attention_mask={"full_attention": mask},
            position_ids=places[None],
            use_cache=True,
            **{_CACHE: cache},
        )
        return done.last_hidden_state


def _config(sizes: Stack) -> Any:
    given: dict[str, Any] = {
        "vocab_size": 1,
        "hidden_size": sizes.hidden_size,
        "intermediate_size": sizes.intermediate_size,
        "num_hidden_layers": sizes.num_hidden_layers,
        "num_attention_heads": sizes.num_attention_heads,
        "num_key_value_heads": sizes.num_key_value_heads,
        "head_dim": sizes.head_dim,
        "rms_norm_eps": sizes.rms_norm_eps,
        "max_position_embeddings": 32_768,
        "rope_theta": sizes.rope_theta,
        # Where transformers 5 looks for it.
        "rope_parameters": {"rope_type": "default", "rope_theta": sizes.rope_theta},
        "attn_implementation": "sdpa",
        "tie_word_embeddings": False,
    }
    return Qwen3Config(**given)
