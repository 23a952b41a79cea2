// A lattice of candidates for the characters of a number: its best path, and how probable each text is. A port of
// digitre/recognition/lattice.py.

const TEXTS = 8; // the best texts that are kept at each state
const LABELS = 3; // of an arc that are followed, the most probable ones
const TEMPERATURE = 7; // divides the logarithm of the probability that all arcs of a path are characters
const LEAST = 1e-9; // no probability is lower

export const isDigit = (character) => character >= "0" && character <= "9";

// An arc from one node to a later one: `labels` is a list of [character, probability].
export function newArc(start, end, labels, weight = 1, prior = 0) {
  const scores = labels.map(([label, value]) => [label, weight * Math.log(Math.max(value, LEAST)) + prior]);
  scores.sort((one, other) => other[1] - one[1]);
  const isCharacter = Math.min(1, labels.reduce((sum, [, value]) => sum + value, 0));
  return { start, end, scores, isCharacter };
}

// The best path from node 0 to `end`: { text, arcs, probability, certainty, alternatives: [[text, probability], ...] };
// null if there is none. `length`: how many digits it must have.
export function solve(arcs, end, length = null) {
  const order = [...arcs].sort((one, other) => one.start - other.start || one.end - other.end);
  const last = key(end, length ?? 0);
  const whole = forward(order, length).get(last);
  if (whole === undefined) return null;
  const path = bestPath(order, last, length);
  const texts = bestTexts(order, last, length);
  const text = path.map(({ label }) => label).join("");
  const certainty = path.reduce((product, { arc }) => product * arc.isCharacter, 1);
  const calibrated = certainty ** (1 / TEMPERATURE);
  if (!texts.has(text)) texts.set(text, path.reduce((sum, { score }) => sum + score, 0));
  const ranked = [...texts]
    .sort((one, other) => other[1] - one[1])
    .map(([each, score]) => [each, Math.min(1, Math.exp(score - whole)) * calibrated]);
  return {
    text,
    arcs: path.map(({ arc }) => arc),
    probability: ranked.find(([each]) => each === text)[1],
    certainty,
    alternatives: ranked.filter(([each]) => each !== text).slice(0, 3),
  };
}

// A state is a node, and how many digits lead to it: counted only if the length is given.
const key = (node, count) => node * 64 + count;

// Each way to go along an arc: [from a state, to a state, the labels with their scores].
function steps(arc, states, length) {
  if (length === null) {
    return states.has(key(arc.start, 0)) ? [[key(arc.start, 0), key(arc.end, 0), arc.scores]] : [];
  }
  const digits = arc.scores.filter(([label]) => isDigit(label));
  const signs = arc.scores.filter(([label]) => !isDigit(label));
  const found = [];
  for (let count = 0; count <= length; count += 1) {
    const source = key(arc.start, count);
    if (!states.has(source)) continue;
    if (digits.length && count < length) found.push([source, key(arc.end, count + 1), digits]);
    if (signs.length) found.push([source, key(arc.end, count), signs]);
  }
  return found;
}

// The logarithm of the sum of what these are the logarithms of.
function logSum(values) {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

// The logarithm of the sum over all paths from the first node to each state.
function forward(order, length) {
  const reached = new Map([[key(0, 0), 0]]);
  for (const arc of order) {
    for (const [source, target, labels] of steps(arc, reached, length)) {
      const score = reached.get(source) + logSum(labels.map(([, each]) => each));
      reached.set(target, reached.has(target) ? logSum([reached.get(target), score]) : score);
    }
  }
  return reached;
}

// The path with the highest score (Viterbi algorithm).
function bestPath(order, last, length) {
  const best = new Map();
  const scores = new Map([[key(0, 0), 0]]);
  for (const arc of order) {
    for (const [source, target, labels] of steps(arc, scores, length)) {
      const [label, score] = labels[0];
      const total = scores.get(source) + score;
      if (scores.has(target) && total <= scores.get(target)) continue;
      scores.set(target, total);
      best.set(target, { source, arc, label, score });
    }
  }
  const path = [];
  for (let state = last; best.has(state); state = best.get(state).source) path.unshift(best.get(state));
  return path;
}

// The best texts, each with the logarithm of the sum over its paths (prefix beam search).
function bestTexts(order, last, length) {
  const texts = new Map([[key(0, 0), new Map([["", 0]])]]);
  let finished = 0;
  for (const arc of order) {
    if (arc.start > finished) {
      finished = arc.start; // all arcs to this node have been followed
      for (const [state, known] of texts) {
        if (Math.floor(state / 64) !== finished) continue;
        const kept = [...known].sort((one, other) => other[1] - one[1]).slice(0, TEXTS);
        texts.set(state, new Map(kept));
      }
    }
    for (const [source, target, labels] of steps(arc, texts, length)) {
      if (!texts.has(target)) texts.set(target, new Map());
      const known = texts.get(target);
      for (const [begun, score] of texts.get(source)) {
        for (const [label, more] of labels.slice(0, LABELS)) {
          const total = score + more;
          const text = begun + label;
          known.set(text, known.has(text) ? logSum([known.get(text), total]) : total);
        }
      }
    }
  }
  return texts.get(last);
}
