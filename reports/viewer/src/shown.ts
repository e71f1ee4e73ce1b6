import { past, type StepSet } from './causality.ts';
import type { Run } from './run.ts';
import { matching, parseQuery } from './query.ts';
import type { View } from './view.ts';

/** What no reader misses when local events are folded. */
const LOCAL = new Set([
  'start', 'timer', 'set-timer', 'cancel-timer', 'append', 'rewrite', 'sync-begins', 'synced',
  'reach', 'note', 'deliver',
]);

/** Whether a step concerns nobody but its own process. */
export function isLocal(run: Run, index: number): boolean {
  if (run.heardBy.has(index) || run.sentBy.has(index) || run.roots.has(index)) return false;
  return run.steps[index].lane != null && run.steps[index].parts.every((part) => LOCAL.has(part.event));
}

/** The steps that are shown. */
export function shownSteps(run: Run, view: View): StepSet {
  const shown = view.isolated === null ? new Uint8Array(run.steps.length).fill(1) : past(run.steps, [view.isolated]);
  const matches = view.onlyMatches && view.query !== '' ? matching(run, parseQuery(view.query)).steps : null;
  run.steps.forEach((step, index) => {
    const isHidden = step.lane != null && view.hiddenLanes.has(step.lane);
    const isUnmatched = matches !== null && !matches[index];
    if (isHidden || isUnmatched || (view.folded && isLocal(run, index))) shown[index] = 0;
  });
  return shown;
}
