/** Texts as readers see them. */

/** Characters that are invisible, or that would reorder the text around them. */
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Makes invisible characters visible: a report of faults must not be fooled by one. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (c) => `⟨${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`);
}

/** On one line, of at most this many characters. */
export function shortened(text: string, lengthMax: number): string {
  const line = visible(text.slice(0, lengthMax * 4).replace(/\s+/g, ' '));
  return line.length > lengthMax ? `${line.slice(0, Math.max(1, lengthMax - 1))}…` : line;
}

/** `TURNS BYZANTINE: x` in ordinary letters. */
export function calm(text: string): string {
  const shouted = /^(?:[A-Z]{2,}\b[ ]?)+/.exec(text)?.[0] ?? '';
  const rest = text.slice(shouted.length);
  return shouted.toLowerCase().replace('byzantine', 'Byzantine') + rest;
}

/** The parts of a row of a story in ordinary letters. */
export function calmParts(text: string): string {
  return text.split('; ').map(calm).join('; ').replaceAll('(LOST ', '(lost ');
}

/** The name at the beginning of a value, with what is in its brackets if that is short. */
export function brief(value: string): string {
  const name = /^[\w."' -]*\w/.exec(value)?.[0];
  if (name === undefined) return shortened(value, BRIEF_MAX);
  const rest = value.slice(name.length).trimEnd();
  return shortened(rest.length <= BRACKETS_MAX ? name + rest : name, BRIEF_MAX);
}

const BRIEF_MAX = 18;
const BRACKETS_MAX = 6;

/** `p0, p1 and p2`. */
export function listed(items: readonly string[]): string {
  const last = items.at(-1);
  if (last === undefined) return '';
  return items.length === 1 ? last : `${items.slice(0, -1).join(', ')} and ${last}`;
}

/** `1 step`, `2 steps`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

const UNITS: readonly [number, string][] = [[1e9, 's'], [1e6, 'ms'], [1e3, 'us']];

/** A time with a fitting unit and at most four significant digits. */
export function duration(nanos: number): string {
  const size = Math.abs(nanos);
  for (const [unit, name] of UNITS) {
    if (size >= unit) return `${Number((nanos / unit).toPrecision(4))}${name}`;
  }
  return nanos === 0 ? '0s' : `${nanos}ns`;
}

/** A time with all its digits. */
export function exactly(nanos: number): string {
  const size = Math.abs(nanos);
  for (const [unit, name] of UNITS) if (size >= unit) return `${nanos / unit}${name}`;
  return nanos === 0 ? '0s' : `${nanos}ns`;
}
