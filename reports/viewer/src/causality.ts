import type { Step } from './data.ts';

/** Which steps are meant: 1 for each of them. */
export type StepSet = Uint8Array;

/** These steps, and all that happened before them. A step's `before` and `cause` precede it. */
export function past(steps: readonly Step[], of: Iterable<number>): StepSet {
  const set = new Uint8Array(steps.length);
  for (const index of of) if (index < set.length) set[index] = 1;
  for (let index = steps.length - 1; index >= 0; index--) {
    if (!set[index]) continue;
    const { before, cause } = steps[index];
    if (before != null) set[before] = 1;
    if (cause != null) set[cause] = 1;
  }
  return set;
}

/** These steps, and all that happened after them. */
export function future(steps: readonly Step[], of: Iterable<number>): StepSet {
  const set = new Uint8Array(steps.length);
  for (const index of of) if (index < set.length) set[index] = 1;
  for (let index = 0; index < steps.length; index++) {
    const { before, cause } = steps[index];
    if ((before != null && set[before]) || (cause != null && set[cause])) set[index] = 1;
  }
  return set;
}

export function union(a: StepSet, b: StepSet): StepSet {
  return a.map((one, index) => one | b[index]);
}

/** The first and the last step of a set, if it has any. */
export function extent(set: StepSet): [number, number] | null {
  const first = set.indexOf(1);
  return first < 0 ? null : [first, set.lastIndexOf(1)];
}

export type Relation = 'before' | 'after' | 'concurrent' | 'same';

/** How one step relates to another. */
export function relation(steps: readonly Step[], a: number, b: number): Relation {
  if (a === b) return 'same';
  if (past(steps, [Math.max(a, b)])[Math.min(a, b)]) return a < b ? 'before' : 'after';
  return 'concurrent';
}
