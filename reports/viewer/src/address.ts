import type { Run } from './run.ts';
import type { View } from './view.ts';

/** What the fragment of the page's address keeps. */
export interface Place {
  view: Partial<View>;
  /** The part of the axis, in units. */
  window: [number, number] | null;
}

/** Reads a fragment such as `#step=123&axis=time&window=4,20`; what makes no sense is left out. */
export function readAddress(fragment: string, run: Run): Place {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ''));
  const view: Partial<View> = {};
  const step = stepOf(parameters.get('step'), run);
  const message = Number(parameters.get('message') ?? NaN);
  if (step !== null) Object.assign(view, { selected: { what: 'step', index: step }, position: step });
  else if (run.messages[message]) view.selected = { what: 'message', index: message };
  const at = stepOf(parameters.get('at'), run);
  if (at !== null) view.position = at;
  const only = stepOf(parameters.get('past'), run);
  if (only !== null) view.isolated = only;
  if (parameters.get('axis') === 'time') view.axis = 'time';
  if (parameters.get('fold') === '1') view.folded = true;
  if (parameters.get('show') === 'all') view.onStory = false;
  const query = parameters.get('find');
  if (query) view.query = query;
  const hidden = numbers(parameters.get('hide')).filter((lane) => lane < run.laneCount);
  if (hidden.length) view.hiddenLanes = new Set(hidden);
  const window = numbers(parameters.get('window'));
  const isWindow = window.length === 2 && window[0] < window[1];
  return { view, window: isWindow ? [window[0], window[1]] : null };
}

/** The fragment of a view. */
export function writeAddress(view: View, window: readonly [number, number], run: Run): string {
  const number = (step: number): string => String(run.steps[step]?.number ?? 0);
  const entries: [string, string][] = [];
  if (view.selected?.what === 'step') entries.push(['step', number(view.selected.index)]);
  else if (view.selected) entries.push(['message', String(view.selected.index)]);
  else if (view.position < run.steps.length - 1) entries.push(['at', number(view.position)]);
  if (view.isolated !== null) entries.push(['past', number(view.isolated)]);
  if (view.axis === 'time') entries.push(['axis', 'time']);
  if (view.folded) entries.push(['fold', '1']);
  if (!view.onStory && run.hasPoint) entries.push(['show', 'all']);
  if (view.hiddenLanes.size) entries.push(['hide', [...view.hiddenLanes].join()]);
  if (view.query) entries.push(['find', view.query]);
  entries.push(['window', window.map((units) => Number(units.toFixed(2))).join()]);
  return `#${entries.map(([key, value]) => `${key}=${encodeURIComponent(value).replaceAll('%2C', ',')}`).join('&')}`;
}

function stepOf(text: string | null, run: Run): number | null {
  return text === null ? null : (run.stepOfNumber.get(Number(text)) ?? null);
}

function numbers(text: string | null): number[] {
  return (text ?? '').split(',').filter((part) => part !== '').map(Number).filter((number) => Number.isFinite(number));
}
