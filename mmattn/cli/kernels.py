"""`mmattn kernels [experiment]`: how attention is computed here, and why so."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import lightning

from mmattn.build import build
from mmattn.cli.tables import aligned
from mmattn.composition.compose import composed
from mmattn.composition.words import experiment
from mmattn.errors import ConfigError
from mmattn.kernels import KERNELS, Kernel, Request, chosen
from mmattn.kernels.crossover import crossover
from mmattn.kernels.measure import measured_crossover, seconds
from mmattn.lens.seam import replaced
from mmattn.mixers import Headed

TURNS = 5


class Asked(NamedTuple):
    """A request that layers of a model make, and the names of these layers."""

    layers: list[str]
    request: Request
    kernel: str


def all_kernels() -> str:
    """A table of the kernels, and this machine's crossover."""
    known = crossover()
    points = ", ".join(f"{length} tokens: {share:.0%}" for length, share in sorted(known.shares.items()))
    lines = aligned([("kernel", "computes"), *((each.name, each.about) for each in KERNELS.values())])
    return (
        f"{lines}\n\nauto skips what is masked where that leaves at most so many of the pairs of tokens:\n"
        f"  {points or 'never'} ({known.measured})\n"
        "Name an experiment for what its layers take: mmattn kernels tinyshakespeare data.root=DIR"
    )


def kernels_of(words: Sequence[str], config_dir: str | None = None) -> str:
    """For each kind of attention that an experiment's first batch asks for, a row a kernel: taken, able or not, why."""
    config = composed(experiment(words), config_dir)
    lightning.seed_everything(config.seed, verbose=False)
    built = build(config)
    task = built.task.train()
    places = next(iter(built.data.training_batches))
    with _asked(task) as requests:
        task.evaluate(built.data.training.batch(places))
    if not requests:
        return "This model has no attention layer."
    return "\n\n".join(_table(each) for each in requests)


@contextmanager
def _asked(task: Any) -> Iterator[list[Asked]]:
    """Collects the requests of the attention layers, equal ones of different layers once; puts all back afterwards."""
    found: dict[Any, Asked] = {}
    layers = {name: module for name, module in task.named_modules() if isinstance(module, Headed)}

    def listen(name: str, attend: Any) -> Any:
        def heard(query, key, value, visibility, scale, *, bias, dropout):
            request = Request(query, key, value, visibility, scale, bias, dropout)
            kernel = attend.keywords["kernel"]
            like = (kernel, visibility.pattern, query.shape, key.shape, type(bias), dropout)
            found.setdefault(like, Asked([], request, kernel)).layers.append(name)
            return attend(query, key, value, visibility, scale, bias=bias, dropout=dropout)

        return heard

    requests: list[Asked] = []
    with replaced(layers, listen):
        yield requests
    requests += found.values()


def _table(asked: Asked) -> str:
    request = asked.request
    batch, heads, queries, dim = request.query.shape
    taken, why = chosen(request) if asked.kernel == "auto" else (KERNELS[asked.kernel], "named by the config")
    able = [each for each in KERNELS.values() if each.refusal(request) is None]
    took = {each.name: _seconds(each, request) for each in able if each.name != "flex"}  # which compiles for seconds
    rows = [("kernel", "", "why")]
    for each in KERNELS.values():
        rows.append((each.name, *_verdict(each, request, taken, why, took)))
    about = [f"{request.visibility.pattern}"] + [type(request.bias).__name__] * (request.bias is not None)
    shape = f"{batch} × {heads} heads × {queries} queries × {request.key.shape[2]} keys, width {dim}"
    where = f"{len(asked.layers)} layers: {asked.layers[0]} …" if len(asked.layers) > 1 else asked.layers[0]
    kind = f"{request.query.dtype}, {request.query.device}, training"
    return f"{', '.join(about)}\n{shape}, {kind}\n{where}\n{aligned(rows)}"


def _verdict(kernel: Kernel, request: Request, taken: Kernel, why: str, seconds: dict[str, float]) -> tuple[str, str]:
    refusal = kernel.refusal(request)
    if refusal:
        return "cannot", refusal
    took = f"{seconds[kernel.name] * 1e3:.1f} ms forward and backward" if kernel.name in seconds else "not timed"
    if kernel is taken:
        return "taken", f"{why}; {took}"
    ratio = seconds[kernel.name] / seconds[taken.name] if kernel.name in seconds and taken.name in seconds else None
    return "can", took if ratio is None else f"{took}, {ratio:.2f} × the one taken"


def _seconds(kernel: Kernel, request: Request) -> float:
    """Median of some calls, after one that builds masks and plans."""
    inputs = [each.detach().requires_grad_() for each in request[:3]]
    again = request._replace(query=inputs[0], key=inputs[1], value=inputs[2])
    return statistics.median([seconds(kernel.compute, again) for _ in range(TURNS + 1)][1:])


def measure() -> str:
    """Measure this machine's crossover and keep it."""
    found = measured_crossover()
    if not any(found.shares.values()):
        raise ConfigError("Skipping blocks was nowhere faster than a dense mask: is the machine busy? Nothing is kept.")
    return f"kept in {found.save()}"
