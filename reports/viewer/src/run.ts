import type { Band, Diagram, Message, Part, Step } from './data.ts';

/** A kind of message, and the number of messages of this kind. */
export interface Kind {
  text: number;
  name: string;
  count: number;
  /** Its colour's place in the palette; -1 is grey. */
  colour: number;
}

const COLOUR_COUNT = 7;

/** How a run differs from the other one of its page. */
export interface Difference {
  /** What the page calls it: A or B. */
  name: string;
  /** The number of steps from the start that are the same in both. */
  agree: number;
  /** The first event that differs: a step and a part of it; null if the run has ended. */
  first: { step: number; part: number } | null;
}

/** A run with the relations that are not in its data. */
export class Run {
  readonly steps: Step[];
  readonly messages: Message[];
  readonly bands: Band[];
  readonly laneCount: number;
  /** The steps of each lane, in order. */
  readonly ofLane: number[][];
  /** The messages that a step sends, and those that it hears. */
  readonly sentBy = new Map<number, number[]>();
  readonly heardBy = new Map<number, number[]>();
  /** The steps that a step caused: not the next one of its lane. */
  readonly causedBy = new Map<number, number[]>();
  readonly next: Int32Array;
  readonly kinds: Kind[];
  readonly kindOf = new Map<number, Kind>();
  readonly roots: Set<number>;
  /** The steps in which a violation was noticed. */
  readonly violations: number[];
  /** For each step that logs, the step after which it is durable; absent if it never is. */
  readonly syncedIn = new Map<number, number>();
  readonly stepOfNumber = new Map<number, number>();

  /** Kinds are counted in `all`, so that they have one colour in all runs of a page. */
  constructor(readonly diagram: Diagram, readonly difference: Difference | null = null, all: readonly Diagram[] = [diagram]) {
    ({ steps: this.steps, messages: this.messages, bands: this.bands } = diagram);
    this.laneCount = diagram.lanes.length;
    this.ofLane = diagram.lanes.map(() => []);
    this.next = new Int32Array(this.steps.length).fill(-1);
    this.steps.forEach((step, index) => {
      this.stepOfNumber.set(step.number, index);
      if (step.lane != null) this.ofLane[step.lane]?.push(index);
      if (step.before != null) this.next[step.before] = index;
      if (step.cause != null) push(this.causedBy, step.cause, index);
    });
    this.messages.forEach((message, index) => {
      if (message.sent != null) push(this.sentBy, message.sent, index);
      for (const step of message.heard) push(this.heardBy, step, index);
    });
    this.kinds = this.countKinds(all);
    for (const kind of this.kinds) this.kindOf.set(kind.text, kind);
    this.roots = new Set(diagram.story?.roots ?? []);
    this.violations = this.indicesOf((part) => part.event === 'violation' || part.event === 'panic');
    this.ofLane.forEach((lane) => this.readSyncs(lane));
  }

  /** Whether some of it is what the page is about, and stands out at first. */
  get hasPoint(): boolean {
    return this.roots.size > 0 || (this.difference !== null && this.difference.agree > 0);
  }

  text(id: number): string {
    return this.diagram.texts[id] ?? '';
  }

  laneName(lane: number | null | undefined): string {
    return lane == null ? 'network' : (this.diagram.lanes[lane]?.name ?? `p${lane}`);
  }

  hasPart(step: number, event: string): boolean {
    return this.steps[step].parts.some((part) => part.event === event);
  }

  /** The fields of a lane after this step, in the order in which they appeared. */
  stateAfter(lane: number, step: number): Map<number, number> {
    const state = new Map<number, number>();
    const { states_end: end } = this.diagram.about;
    if (end != null && (this.steps[step]?.number ?? 0) >= end) return state;
    for (const index of this.ofLane[lane] ?? []) {
      if (index > step) break;
      for (const [field, value] of this.steps[index].state ?? []) state.set(field, value);
    }
    return state;
  }

  /** The bands that hold at a lane after this step. */
  bandsAt(lane: number, step: number): Band[] {
    return this.bands.filter((band) => {
      const isThere = band.lanes.length === 0 || band.lanes.includes(lane);
      return isThere && band.from <= step && (band.until == null || band.until > step);
    });
  }

  private indicesOf(shows: (part: Part) => boolean): number[] {
    const indices: number[] = [];
    this.steps.forEach((step, index) => step.parts.some(shows) && indices.push(index));
    return indices;
  }

  private countKinds(all: readonly Diagram[]): Kind[] {
    const counts = new Map<number, number>();
    for (const { kind } of all.flatMap((diagram) => diagram.messages)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const ordered = [...counts].sort(([, a], [, b]) => b - a);
    return ordered.map(([text, count], place) => {
      const colour = place < COLOUR_COUNT ? place : -1;
      return { text, name: this.text(text), count, colour };
    });
  }

  private readSyncs(lane: number[]): void {
    let open: number[] = [];
    for (const index of lane) {
      for (const { event } of this.steps[index].parts) {
        if (event === 'append' || event === 'rewrite') open.push(index);
        if (event === 'crash') open = [];
        if (event !== 'synced') continue;
        for (const logged of open) this.syncedIn.set(logged, index);
        open = [];
      }
    }
  }
}

function push(map: Map<number, number[]>, key: number, value: number): void {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}
