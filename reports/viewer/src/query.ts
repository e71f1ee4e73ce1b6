import { future, past, union, type StepSet } from './causality.ts';
import type { Run } from './run.ts';
import { sentence } from './sentence.ts';

/** Words that a step must all contain; or, of two such lists, the first `before` the second. */
export interface Query {
  words: string[];
  before: string[] | null;
}

export function parseQuery(text: string): Query {
  const [first, second] = text.split(/\s+before\s+/i);
  return { words: wordsOf(first), before: second === undefined ? null : wordsOf(second) };
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().split(/\s+/).filter((word) => word !== '');
}

export interface Matches {
  steps: StepSet;
  /** The matches to jump to, in order. */
  order: number[];
}

/**
 * The steps that match. `A before B` asks for causes: the steps that match A and happened before one
 * that matches B, and those that match B and happened after one that matches A.
 */
export function matching(run: Run, query: Query): Matches {
  const texts = run.steps.map((_, index) => searchable(run, index));
  const first = containing(texts, query.words);
  let steps = first;
  if (query.before) {
    const second = containing(texts, query.before);
    const earlier = both(first, past(run.steps, indices(second)));
    const later = both(second, future(run.steps, indices(first)));
    steps = union(earlier, later);
  }
  return { steps, order: indices(steps) };
}

const searchableOf = new WeakMap<Run, string[]>();

/** Everything that a reader may call a step by. */
function searchable(run: Run, index: number): string {
  let texts = searchableOf.get(run);
  if (!texts) searchableOf.set(run, (texts = []));
  return (texts[index] ??= [
    sentence(run, index, 400),
    run.steps[index].parts.map((part) => part.event).join(' '),
    `#${run.steps[index].number}`,
  ].join(' ').toLowerCase());
}

function containing(texts: readonly string[], words: readonly string[]): StepSet {
  return Uint8Array.from(texts, (text) => (words.length > 0 && words.every((word) => text.includes(word)) ? 1 : 0));
}

function both(a: StepSet, b: StepSet): StepSet {
  return a.map((one, index) => one & b[index]);
}

function indices(set: StepSet): number[] {
  const found: number[] = [];
  set.forEach((one, index) => one && found.push(index));
  return found;
}
