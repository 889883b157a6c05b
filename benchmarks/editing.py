"""`mmattn bench editing`: what prompt-to-prompt brings to a run that draws scenes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mmattn.benchmarks.edits import Change, Swap, change
from mmattn.data.prompts import known
from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.lens import Replace, aligned, capture, edited, labels
from mmattn.lens.drawn import readers

AT_ONCE = 20
"""Prompts in a batch, whose queries of all steps are in memory."""
SIDES = {"injected": "maps injected", "begun": "begun by the first prompt", "plain": "with neither"}


@dataclass(frozen=True)
class Edit:
    """A swap, and what became of it with the first prompt's maps, where the first prompt began, and with neither."""

    swap: Swap
    seed: int
    injected: Change
    begun: Change
    plain: Change


def edits(task: Any, swaps: Sequence[Swap], share: float, begin: float, asked: Mapping[str, Any]) -> Iterator[Edit]:
    """Draw each pair of prompts from one noise, the second three times: with the first one's maps, with the first
    prompt itself in the first steps, and as it is.

    task: as TextToImage; share: of the steps in which maps are injected; begin: of those that read the first prompt;
    asked: steps, guidance, seed: each swap has noise of its own. Raises ConfigError for a run that does not draw such
    scenes.
    """
    layers, seed = readers(task), asked["seed"]
    for mapping, some in _batches(task.source, swaps):
        told = {**asked, "seed": seed, "count": len(some)}
        before, after = ([_read(task.source, getattr(each, side)) for each in some] for side in ("before", "after"))
        with capture(task, layers) as maps:
            firsts = task.pictures(before, **told)
        with edited(task, Replace(maps, mapping, share), layers):
            injected = task.pictures(after, **told)
        begun = task.pictures(after, **told, before=before, begin=begin)
        plain = task.pictures(after, **told)
        for swap, first, *others in zip(some, firsts, injected, begun, plain, strict=True):
            yield Edit(swap, seed, *(change(swap, first, other) for other in others))
            seed += 1


def summary(found: Sequence[Edit]) -> dict[str, Any]:
    """Shares of all edits, and of those whose first picture shows its prompt; None where there is none."""
    right = [edit for edit in found if edit.plain.right]
    out: dict[str, Any] = {"edits": len(found), "first_picture_right": _share([e.plain.right for e in found])}
    for side in SIDES:
        sides: list[Change] = [getattr(edit, side) for edit in found]
        out[side] = {name: _share([getattr(each, name) for each in sides]) for name in ("done", "changed", "kept")}
        out[side]["done_where_first_is_right"] = _share([getattr(edit, side).done for edit in right])
    return out


def lines(found: Mapping[str, Any]) -> list[str]:
    """The summary for a terminal."""
    out = [f"{found['edits']} edits; the first picture shows its prompt in {_said(found['first_picture_right'])}"]
    for side, name in SIDES.items():
        shares = found[side]
        out.append(
            f"{name}: {_said(shares['done'])} as asked and nothing else ({_said(shares['done_where_first_is_right'])} "
            f"where the first picture is right); asked change {_said(shares['changed'])}, all else kept "
            f"{_said(shares['kept'])}"
        )
    return out


def records(found: Sequence[Edit]) -> list[dict[str, Any]]:
    """Each edit as json has it."""
    return [asdict(edit) for edit in found]


def _batches(source: Any, swaps: Sequence[Swap]) -> Iterator[tuple[list[int], list[Swap]]]:
    """Swaps whose tokens belong together in the same way, and that way: a batch has one mapping, and no padding."""
    groups: dict[tuple[int, tuple[int, ...]], list[Swap]] = {}
    for swap in swaps:
        before, after = (labels(source, _read(source, text)) for text in (swap.before, swap.after))
        groups.setdefault((len(before), tuple(aligned(before, after))), []).append(swap)
    for (_, mapping), members in sorted(groups.items(), key=lambda group: group[0]):
        for start in range(0, len(members), AT_ONCE):
            yield list(mapping), members[start : start + AT_ONCE]


def _read(source: Any, prompt: str) -> Any:
    try:
        return known(source, Sample(f"the prompt '{prompt}'", prompt))
    except BadSample as error:
        raise ConfigError(f"This run does not read captions of scenes: {error}") from error


def _share(hits: Sequence[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None


def _said(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
