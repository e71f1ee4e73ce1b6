import type { Lane } from './data.ts';

export const RULER_HEIGHT = 24;
const NETWORK_HEIGHT = 40;
const ROLE_HEIGHT = 20;
const PITCH_MIN = 30;
const PITCH_MAX = 150;

/** A heading above the lanes of a role. */
export interface Heading {
  text: string;
  y: number;
}

/** The lanes from top to bottom, in pixels. */
export interface Rows {
  /** The line of each lane; NaN if it is hidden. */
  y: Float64Array;
  /** The distance between two lanes. */
  pitch: number;
  /** The line of the network, if it has one. */
  network: number | null;
  /** Shown lanes, from top to bottom. */
  order: number[];
  headings: Heading[];
  height: number;
}

/** Stacks the lanes, those of one role together, to fill this height if that leaves room enough. */
export function stack(
  lanes: readonly Lane[],
  hidden: ReadonlySet<number>,
  hasNetwork: boolean,
  height: number,
): Rows {
  const roles = [...new Set(lanes.map((lane) => lane.role ?? ''))];
  const isHeaded = roles.length > 1 || (roles[0] ?? '') !== '';
  const groups = roles
    .map((role) => ({ role, lanes: lanes.flatMap((lane, index) => ((lane.role ?? '') === role && !hidden.has(index) ? [index] : [])) }))
    .filter((group) => group.lanes.length > 0);
  const top = RULER_HEIGHT + (hasNetwork ? NETWORK_HEIGHT : 0);
  const count = groups.reduce((sum, group) => sum + group.lanes.length, 0);
  const headed = isHeaded ? groups.length * ROLE_HEIGHT : 0;
  const pitch = Math.min(PITCH_MAX, Math.max(PITCH_MIN, (height - top - headed) / Math.max(1, count)));
  const y = new Float64Array(lanes.length).fill(NaN);
  const headings: Heading[] = [];
  const order: number[] = [];
  let at = top;
  for (const group of groups) {
    if (isHeaded) {
      headings.push({ text: group.role, y: at + ROLE_HEIGHT / 2 + 2 });
      at += ROLE_HEIGHT;
    }
    for (const lane of group.lanes) {
      // Words stand above the line, so the line lies below the middle.
      y[lane] = at + pitch * 0.56;
      order.push(lane);
      at += pitch;
    }
  }
  const network = hasNetwork ? RULER_HEIGHT + NETWORK_HEIGHT - 12 : null;
  return { y, pitch, network, order, headings, height: at };
}

/** The line of a lane, or of the network. */
export function lineOf(rows: Rows, lane: number | null | undefined): number {
  return lane == null ? (rows.network ?? NaN) : rows.y[lane];
}
