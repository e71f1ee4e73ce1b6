import type { Step } from './data.ts';
import type { Extent } from './frame.ts';

/** The free room at both ends of the axis, in steps. */
const MARGIN = 0.6;

/**
 * The places of steps from left to right, in units: by step, one unit lies between two neighbours;
 * by time, the whole run has the same length, but is true to scale. `blend` goes from 0 (by step)
 * to 1 (by time).
 */
export class Axis {
  /** The place of each step. */
  readonly at: Float64Array;
  readonly length: number;
  readonly shownCount: number;
  private readonly own: Extent;
  private readonly byStep: Float64Array;
  private readonly byTime: Float64Array;
  private readonly start: number;
  private readonly perNano: number;
  private blended = -1;

  /** An axis that several runs share holds more than these steps: `join` says how much. */
  constructor(steps: readonly Step[], shown: Uint8Array, blend: number, join: (own: Extent) => Extent = (own) => own) {
    this.byStep = new Float64Array(steps.length);
    this.byTime = new Float64Array(steps.length);
    this.at = new Float64Array(steps.length);
    let count = 0;
    for (let index = 0; index < steps.length; index++) {
      // What is not shown lies between its neighbours.
      this.byStep[index] = shown[index] ? MARGIN + count++ : MARGIN + count - 0.5;
    }
    this.shownCount = count;
    const first = shown.indexOf(1);
    const last = shown.lastIndexOf(1);
    this.own = { count, start: steps[first]?.at ?? 0, end: steps[last]?.at ?? 1 };
    const whole = join(this.own);
    this.length = Math.max(1, whole.count - 1) + 2 * MARGIN;
    this.start = whole.start;
    const span = Math.max(1, whole.end - whole.start);
    this.perNano = (this.length - 2 * MARGIN) / span;
    for (let index = 0; index < steps.length; index++) {
      this.byTime[index] = this.ofTime(steps[index].at);
    }
    this.blend(blend);
  }

  blend(blend: number): void {
    if (blend === this.blended) return;
    this.blended = blend;
    for (let index = 0; index < this.at.length; index++) {
      this.at[index] = mix(this.byStep[index], this.byTime[index], blend);
    }
  }

  /** A place that follows a step, at this time. */
  between(after: number, units: number, time: number): number {
    return mix(this.byStep[after] + units, this.ofTime(time), this.blended);
  }

  /** The place of a time on the axis by time. */
  ofTime(time: number): number {
    return MARGIN + (time - this.start) * this.perNano;
  }

  /** The time of a place on the axis by time. */
  timeOf(place: number): number {
    return this.start + (place - MARGIN) / this.perNano;
  }

  /** The first step that is not left of this place, by the axis's mixture: steps are in order. */
  firstFrom(place: number): number {
    let [low, high] = [0, this.at.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at[middle] < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The shown steps from the first of these to the last, as places with free room beside them. */
  around(first: number, last: number): [number, number] {
    const [a, b] = [this.at[first] ?? 0, this.at[last] ?? this.length];
    const room = Math.max(0.8, (b - a) * 0.06);
    return [Math.max(0, a - room), Math.min(this.length, b + room)];
  }

  /** The place where these steps end. */
  get end(): number {
    const byStep = Math.max(1, this.own.count - 1) + 2 * MARGIN;
    const byTime = this.ofTime(Math.max(this.own.end, this.own.start + 1)) + MARGIN;
    return Math.min(this.length, mix(byStep, byTime, this.blended));
  }
}

function mix(a: number, b: number, blend: number): number {
  return a + (b - a) * blend;
}
