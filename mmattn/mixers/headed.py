"""What attention mixers share: projections to heads and back, and the kernel between them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from mmattn.biases import Bias
from mmattn.errors import ConfigError
from mmattn.kernels import attend, named
from mmattn.limits import whole, within
from mmattn.mixers.mixer import Mixer
from mmattn.patterns import Full, Pattern, Visibility


class Headed(Mixer):
    """Multi-head attention (https://arxiv.org/abs/1706.03762) with grouped queries (https://arxiv.org/abs/2305.13245).

    `attend` is the one way to the kernel: what replaces it sees all that attention does (`mmattn.lens`).

    Args:
        dim: model width.
        heads: query heads.
        key_heads: key and value heads, dividing `heads`; default: as many.
        head_dim: width of a head; default dim / heads.
        memory_dim: width of what keys and values are made of; default: dim.
        pattern: who sees whom.
        qk_norm: RMS-normalises queries and keys a head (https://arxiv.org/abs/2302.05442).
        bias: of the projections.
        kernel: how it is computed: `auto` or a name of `mmattn.kernels.KERNELS`.
        score_bias: a factory `heads -> Bias` of what is done to the scores (`mmattn.biases`).
        weight_dropout: the chance that an attention weight is zeroed in training.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        *,
        key_heads: int | None = None,
        head_dim: int | None = None,
        memory_dim: int | None = None,
        pattern: Pattern | None = None,
        qk_norm: bool = False,
        bias: bool = True,
        kernel: str = "auto",
        score_bias: Callable[[int], Bias] | None = None,
        weight_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.heads, self.key_heads = heads, heads if key_heads is None else key_heads
        self.memory_dim = dim if memory_dim is None else memory_dim
        for name, value in {"heads": heads, "key_heads": self.key_heads, "memory_dim": self.memory_dim}.items():
            whole(name, value, 1)
        if head_dim is not None:
            whole("head_dim", head_dim, 1)
        if head_dim is None and dim % heads:
            raise ConfigError(f"heads={heads} does not divide dim={dim}; choose a divisor, or set head_dim.")
        if heads % self.key_heads:
            raise ConfigError(f"key_heads={self.key_heads} does not divide heads={heads}; choose a divisor.")
        within("weight_dropout", weight_dropout, least=0, below=1)
        if kernel != "auto":
            named(kernel)  # raises where it is not known
        self.head_dim = head_dim or dim // heads
        self.pattern = pattern or Full()
        self.attend = partial(attend, kernel=kernel)
        self.scale, self.weight_dropout = self.head_dim**-0.5, weight_dropout
        self.score_bias = None if score_bias is None else score_bias(heads)
        self.query = nn.Linear(dim, self.heads * self.head_dim, bias=bias)
        self.key = nn.Linear(self.memory_dim, self.key_heads * self.head_dim, bias=bias)
        self.value = nn.Linear(self.memory_dim, self.key_heads * self.head_dim, bias=bias)
        self.out = nn.Linear(self.heads * self.head_dim, dim, bias=bias)
        self.query_norm, self.key_norm = (nn.RMSNorm(self.head_dim) if qk_norm else nn.Identity() for _ in range(2))

    def queries(self, x: Tensor) -> Tensor:
        """x (batch, length, dim) → (batch, heads, length, head_dim), normalised."""
        return self.query_norm(self._split(self.query(x)))

    def keys(self, x: Tensor) -> Tensor:
        """x (batch, length, memory_dim) → (batch, key_heads, length, head_dim), normalised."""
        return self.key_norm(self._split(self.key(x)))

    def values(self, x: Tensor) -> Tensor:
        """x (batch, length, memory_dim) → (batch, key_heads, length, head_dim)."""
        return self._split(self.value(x))

    def mix(self, query: Tensor, key: Tensor, value: Tensor, visibility: Visibility) -> Tensor:
        """Heads of queries, keys and values → (batch, queries, dim)."""
        dropout = self.weight_dropout if self.training else 0.0
        heads = self.attend(query, key, value, visibility, self.scale, bias=self.score_bias, dropout=dropout)
        return self.out(heads.transpose(1, 2).flatten(-2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
