"""A lattice of candidates for the characters of a number: its best path, and how probable each text is.

A node lies before, between and after the pieces of a number's ink. An arc from one node to a later one is a
candidate: all ink between the two is one character. So a path from the first node to the last one explains all
ink. This is the segmentation graph of LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to
document recognition" (1998), sections V and VI. A character's log probability is multiplied by the number of pieces that it
explains, so that paths of few characters have no advantage (Wang, Yin and Liu, "Handwritten Chinese text
recognition by integrating multiple contexts", 2012).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

DIGITS = "0123456789"
NEW_LINE = "\n"  # the label of the arc between two lines
TEXTS = 8  # the best texts that are kept at each state
LABELS = 3  # of an arc that are followed, the most probable ones
# Divides the logarithm of the probability that all arcs of a path are characters. Calibrated on the numbers of
# validation people: the network calls some real digits none.
TEMPERATURE = 7.0
LEAST = 1e-9  # no probability is lower, so that ink that is no character costs much and not infinitely much


@dataclass(frozen=True, eq=False)
class Arc:
    """A candidate for a character.

    Attributes:
        start, end: the nodes that it connects; start < end.
        labels: the probability of each character that it may be. The rest, up to 1, is the probability that it
            isn't a character.
        weight: how many pieces it explains.
        prior: a logarithm that is added to its score, such as what a cut costs.
    """

    start: int
    end: int
    labels: Mapping[str, float]
    weight: float = 1.0
    prior: float = 0.0
    scores: list[tuple[str, float]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        scores = [
            (label, self.weight * math.log(max(value, LEAST)) + self.prior)
            for label, value in self.labels.items()
        ]
        scores.sort(key=lambda each: -each[1])
        object.__setattr__(self, "scores", scores)

    @property
    def best(self) -> str:
        """The most probable character."""
        return self.scores[0][0]

    @property
    def is_character(self) -> float:
        """The probability that it is one."""
        return min(1.0, math.fsum(self.labels.values()))


@dataclass(frozen=True)
class Answer:
    """What a lattice says.

    Attributes:
        text: of the best path: the characters of its arcs.
        arcs: the best path.
        probability: of this text, 0 to 1: its paths' share of all paths, multiplied by the calibrated probability
            that each arc of the best path is a character.
        certainty: that probability as the network gives it.
        posteriors: of each arc of the best path: the share of all paths that go through it.
        alternatives: the next best texts and their probabilities, best first.
    """

    text: str
    arcs: tuple[Arc, ...]
    probability: float
    certainty: float
    posteriors: tuple[float, ...]
    alternatives: tuple[tuple[str, float], ...]


State = tuple[
    int, int
]  # a node, and how many digits lead to it: counted only if the length is given


def solve(arcs: Sequence[Arc], end: int, length: int | None = None) -> Answer | None:
    """The best path, and what share of all paths it has (forward-backward algorithm).

    Args:
        arcs: the candidates.
        end: the last node; the first is 0.
        length: how many digits a path must have; None for any number.

    Returns:
        None if there is no such path.
    """
    order = sorted(arcs, key=lambda arc: (arc.start, arc.end))
    forward = _forward(order, length)
    last = (end, length or 0)
    if last not in forward:
        return None
    backward = _backward(order, forward, last, length)
    whole = forward[last]
    path = _best_path(order, last, length)
    texts = _best_texts(order, last, length)
    text = "".join(label for _, label, _ in path)
    found = tuple(arc for arc, _, _ in path)
    certainty = math.prod(arc.is_character for arc in found)
    calibrated = certainty ** (1 / TEMPERATURE)
    texts.setdefault(text, math.fsum(score for _, _, score in path))
    ranked = sorted(texts.items(), key=lambda each: -each[1])
    shares = {each: min(1.0, math.exp(score - whole)) * calibrated for each, score in ranked}
    return Answer(
        text,
        found,
        shares.pop(text),
        certainty,
        tuple(_posterior(arc, forward, backward, whole, length) for arc in found),
        tuple(shares.items())[:3],
    )


def _steps(
    arc: Arc, states: Mapping[State, object], length: int | None
) -> Iterator[tuple[State, State, list[tuple[str, float]]]]:
    """Each way to go along an arc: from a state, to a state, and the labels with their scores."""
    if length is None:
        if (arc.start, 0) in states:
            yield (arc.start, 0), (arc.end, 0), arc.scores
        return
    digits = [each for each in arc.scores if each[0] in DIGITS]
    signs = [each for each in arc.scores if each[0] not in DIGITS]
    for count in range(length + 1):
        if (arc.start, count) in states:
            if digits and count < length:
                yield (arc.start, count), (arc.end, count + 1), digits
            if signs:
                yield (arc.start, count), (arc.end, count), signs


def _sum(values: Sequence[float]) -> float:
    """The logarithm of the sum of what these are the logarithms of."""
    largest = max(values)
    return largest + math.log(math.fsum(math.exp(each - largest) for each in values))


def _forward(order: Sequence[Arc], length: int | None) -> dict[State, float]:
    """The logarithm of the sum over all paths from the first node to each state."""
    reached: dict[State, float] = {(0, 0): 0.0}
    for arc in order:
        for source, target, labels in list(_steps(arc, reached, length)):
            score = reached[source] + _sum([each[1] for each in labels])
            reached[target] = _sum([reached[target], score]) if target in reached else score
    return reached


def _backward(
    order: Sequence[Arc], forward: Mapping[State, float], last: State, length: int | None
) -> dict[State, float]:
    """The logarithm of the sum over all paths from each state to the last one."""
    reached: dict[State, float] = {last: 0.0}
    for arc in sorted(order, key=lambda each: -each.start):
        for source, target, labels in _steps(arc, forward, length):
            if target in reached:
                score = reached[target] + _sum([each[1] for each in labels])
                reached[source] = _sum([reached[source], score]) if source in reached else score
    return reached


def _posterior(
    arc: Arc,
    forward: Mapping[State, float],
    backward: Mapping[State, float],
    whole: float,
    length: int | None,
) -> float:
    shares = [
        math.exp(forward[source] + _sum([each[1] for each in labels]) + backward[target] - whole)
        for source, target, labels in _steps(arc, forward, length)
        if target in backward
    ]
    return min(1.0, math.fsum(shares))


def _best_path(
    order: Sequence[Arc], last: State, length: int | None
) -> list[tuple[Arc, str, float]]:
    """The path with the highest score (Viterbi algorithm): its arcs, labels and scores."""
    best: dict[State, tuple[float, State, Arc, str, float]] = {}
    scores: dict[State, float] = {(0, 0): 0.0}
    for arc in order:
        for source, target, labels in list(_steps(arc, scores, length)):
            label, score = labels[0]
            total = scores[source] + score
            if target not in scores or total > scores[target]:
                scores[target] = total
                best[target] = (total, source, arc, label, score)
    path = []
    state = last
    while state in best:
        _, state, arc, label, score = best[state]
        path.append((arc, label, score))
    return path[::-1]


def _best_texts(order: Sequence[Arc], last: State, length: int | None) -> dict[str, float]:
    """The best texts, each with the logarithm of the sum over its paths (prefix beam search)."""
    texts: dict[State, dict[str, float]] = {(0, 0): {"": 0.0}}
    finished = 0
    for arc in order:
        if arc.start > finished:  # all arcs to this node have been followed
            finished = arc.start
            for state in [each for each in texts if each[0] == finished]:
                kept = sorted(texts[state].items(), key=lambda each: -each[1])[:TEXTS]
                texts[state] = dict(kept)
        for source, target, labels in list(_steps(arc, texts, length)):
            known = texts.setdefault(target, {})
            for begun, score in texts[source].items():
                for label, more in labels[:LABELS]:
                    text, total = begun + label, score + more
                    known[text] = _sum([known[text], total]) if text in known else total
    return texts[last]
