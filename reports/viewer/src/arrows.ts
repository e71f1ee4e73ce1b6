import type { Axis } from './axis.ts';
import type { Run } from './run.ts';
import { lineOf, type Rows } from './rows.ts';

/** How an arrow ends. A bridge leads through processes that are hidden. */
export type End = 'heard' | 'lost' | 'flying' | 'bridge';

/** A message, or one of its deliveries, to be drawn. */
export interface Arrow {
  message: number;
  end: End;
  /** The step in which it begins; -1: nobody sent it. */
  from: number;
  /** The step in which it is heard; -1: it is not. */
  to: number;
  fromLane: number;
  toLane: number;
  /** The delivery's place among those of its message. */
  copy: number;
}

export interface Segment {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** The arrows of all messages between lanes that are shown, of kinds that are shown. */
export function arrowsOf(run: Run, shown: Uint8Array, hiddenLanes: ReadonlySet<number>, hiddenKinds: ReadonlySet<number>): Arrow[] {
  const arrows: Arrow[] = [];
  run.messages.forEach((message, index) => {
    if (hiddenKinds.has(message.kind)) return;
    const { from: fromLane, to: toLane } = message;
    const from = message.sent ?? -1;
    if (from >= 0 && !shown[from]) return;
    if (hiddenLanes.has(fromLane)) return;
    if (hiddenLanes.has(toLane)) {
      if (from >= 0) arrows.push(...bridges(run, index, from, shown, hiddenLanes, hiddenKinds));
      return;
    }
    const base = { message: index, from, fromLane, toLane, copy: 0 };
    const heard = message.heard.filter((step) => shown[step]);
    heard.forEach((to, copy) => arrows.push({ ...base, end: 'heard', to, copy }));
    if (message.heard.length > 0 || from < 0) return;
    if (message.lost) arrows.push({ ...base, end: 'lost', to: -1 });
    else arrows.push({ ...base, end: 'flying', to: -1 });
  });
  return arrows;
}

/** What a message to hidden processes led them to send to shown ones. */
function bridges(
  run: Run,
  message: number,
  from: number,
  shown: Uint8Array,
  hiddenLanes: ReadonlySet<number>,
  hiddenKinds: ReadonlySet<number>,
): Arrow[] {
  const found: Arrow[] = [];
  const seen = new Set<number>();
  const open = [...run.messages[message].heard];
  for (let step = open.pop(); step !== undefined; step = open.pop()) {
    if (seen.has(step)) continue;
    seen.add(step);
    for (const index of run.sentBy.get(step) ?? []) {
      const sent = run.messages[index];
      if (hiddenKinds.has(sent.kind)) continue;
      if (hiddenLanes.has(sent.to)) open.push(...sent.heard);
      else if (sent.heard.length && shown[sent.heard[0]] && sent.to !== run.messages[message].from) {
        const { from: fromLane } = run.messages[message];
        found.push({ message: index, end: 'bridge', from, to: sent.heard[0], fromLane, toLane: sent.to, copy: 0 });
      }
    }
  }
  return found;
}

/** How far a message gets, as a part of its way, before it is lost or the run ends. */
const LOST_AT_ONCE = 0.4;
const LOST_LATER = 0.8;
const FLYING = 0.35;

/** The places of an arrow's ends: units from left to right, pixels from top to bottom. */
export function place(run: Run, axis: Axis, rows: Rows, arrow: Arrow): Segment {
  const message = run.messages[arrow.message];
  const [y0, y2] = [lineOf(rows, arrow.fromLane), lineOf(rows, arrow.toLane)];
  if (arrow.from < 0) {
    const x1 = axis.at[arrow.to];
    return { x0: x1 - 0.7, y0: y2 + (y0 - y2) * 0.5, x1, y1: y2 };
  }
  const x0 = axis.at[arrow.from];
  if (arrow.to >= 0) return { x0, y0, x1: axis.at[arrow.to], y1: y2 };
  const lost = message.lost;
  if (arrow.end === 'lost' && lost) {
    const isAtOnce = lost.after <= arrow.from;
    const x1 = axis.between(lost.after, 0.5, lost.at);
    return { x0, y0, x1: Math.max(x0, x1), y1: y0 + (y2 - y0) * (isAtOnce ? LOST_AT_ONCE : LOST_LATER) };
  }
  return { x0, y0, x1: x0 + 0.8, y1: y0 + (y2 - y0) * FLYING };
}

/** The places of all arrows' ends, four numbers each: computed once for a layout, as most frames only move. */
export function places(run: Run, axis: Axis, rows: Rows, arrows: readonly Arrow[]): Float64Array {
  const made = new Float64Array(arrows.length * 4);
  arrows.forEach((arrow, index) => {
    const { x0, y0, x1, y1 } = place(run, axis, rows, arrow);
    made.set([x0, y0, x1, y1], index * 4);
  });
  return made;
}

/** The part of its way after which a message is late. Without a bound, the second half stands for it. */
export function lateFrom(run: Run, arrow: Arrow): number {
  const bound = run.diagram.bound;
  const sent = run.steps[arrow.from];
  const heard = run.steps[arrow.to];
  if (bound == null || !sent || !heard) return 0.5;
  return Math.min(0.9, Math.max(0.1, bound / Math.max(1, heard.at - sent.at)));
}

/** The distance of a point from a segment, in the same units. */
export function distance(px: number, py: number, { x0, y0, x1, y1 }: Segment): number {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length = dx * dx + dy * dy;
  const part = length === 0 ? 0 : Math.min(1, Math.max(0, ((px - x0) * dx + (py - y0) * dy) / length));
  return Math.hypot(px - x0 - part * dx, py - y0 - part * dy);
}

/** Whether a segment touches a box. */
export function crosses({ x0, y0, x1, y1 }: Segment, left: number, top: number, right: number, bottom: number): boolean {
  let [from, to] = [0, 1];
  for (const [start, delta, low, high] of [[x0, x1 - x0, left, right], [y0, y1 - y0, top, bottom]]) {
    if (delta === 0) {
      if (start < low || start > high) return false;
      continue;
    }
    const [a, b] = [(low - start) / delta, (high - start) / delta];
    from = Math.max(from, Math.min(a, b));
    to = Math.min(to, Math.max(a, b));
    if (from > to) return false;
  }
  return true;
}
