import { future, past, union, type StepSet } from './causality.ts';
import { matching, parseQuery } from './query.ts';
import type { Run } from './run.ts';
import type { Selection, View } from './view.ts';

/** The steps that stand out; none stands out if it is null. */
export function emphasised(run: Run, view: View): StepSet | null {
  if (view.selected) return coneOf(run, view.selected);
  if (view.query !== '') return matching(run, parseQuery(view.query)).steps;
  if (view.isolated !== null) return null;
  if (!view.onStory || !run.hasPoint) return null;
  return run.difference ? ownSteps(run, run.difference.agree) : storySteps(run);
}

/** The past of the violation, and the other steps that its story tells. */
export function storySteps(run: Run): StepSet {
  const set = past(run.steps, run.roots);
  for (const row of run.diagram.story?.rows ?? []) for (const step of row.steps) set[step] = 1;
  return set;
}

/** The steps that the other run of the page does not have. */
function ownSteps(run: Run, agree: number): StepSet {
  return new Uint8Array(run.steps.length).fill(1, agree);
}

/** What led to a step or a message, and what it led to. */
function coneOf(run: Run, selected: Selection): StepSet {
  if (selected.what === 'step') {
    return union(past(run.steps, [selected.index]), future(run.steps, [selected.index]));
  }
  const message = run.messages[selected.index];
  const sent = message.sent == null ? [] : [message.sent];
  return union(past(run.steps, sent), future(run.steps, message.heard));
}

/** Whether a message stands out: both its ends do, or its sending does and it went astray. */
export function messageStandsOut(run: Run, index: number, set: StepSet | null, selected: Selection | null): boolean {
  if (!set) return true;
  if (selected?.what === 'message') {
    if (selected.index === index) return true;
  }
  const { sent, heard } = run.messages[index];
  const isSent = sent == null || set[sent] === 1;
  return isSent && (heard.length === 0 ? selected === null || selected.index === sent : heard.some((step) => set[step] === 1));
}
