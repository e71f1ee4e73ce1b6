/** The data of a page: a run, or two, as the program writes them. Times are in nanoseconds. */

import { type Names, type PackedRun, unpackMessages, unpackSteps } from './unpack.ts';

/** An index into the texts. */
export type TextId = number;

export interface Diagram {
  version: number;
  about: About;
  lanes: Lane[];
  verdicts: Verdict[];
  steps: Step[];
  messages: Message[];
  bands: Band[];
  story: Story | null;
  texts: string[];
  /** The bound on delays, if the run has one. */
  bound?: number | null;
}

export interface About {
  scenario: string;
  summary?: string | null;
  protocol: string;
  problem: string;
  mutant?: string | null;
  seed: number | string;
  events: number;
  ended: string;
  digest: string;
  command: string;
  truncated?: boolean;
  /** What the page does not show, and why; a sentence each. */
  notices?: string[];
  /** The number of the first step whose states are left out. */
  states_end?: number | null;
}

export interface Lane {
  name: string;
  role?: string | null;
}

export interface Verdict {
  property: string;
  kind: string;
  text: string;
  verdict: 'held' | 'vacuous' | 'undecided' | 'violated';
  message?: string | null;
}

/** Indices into the steps: `before` and `cause`. Without a lane, it is of the whole network. */
export interface Step {
  number: number;
  at: number;
  lane?: number | null;
  before?: number | null;
  cause?: number | null;
  parts: Part[];
  state?: [TextId, TextId][];
}

export interface Part {
  event: string;
  text: TextId;
  message?: number | null;
}

export interface Message {
  from: number;
  to: number;
  kind: TextId;
  text: TextId;
  sent?: number | null;
  heard: number[];
  lost?: Lost | null;
  arrives?: number | null;
  late?: boolean;
  changed?: boolean;
  replayed?: boolean;
}

export interface Lost {
  at: number;
  after: number;
  reason: TextId;
}

/** What lasts from one step until another, or until the end. It is of all lanes if `lanes` is empty. */
export interface Band {
  what: string;
  text: TextId;
  lanes: number[];
  from: number;
  until?: number | null;
}

export interface Story {
  property: string;
  message: string;
  roots: number[];
  rows: StoryRow[];
  left_out?: number;
  needs?: string[];
}

export interface StoryRow {
  steps: number[];
  lane?: number | null;
  at: string;
  text: string;
  standing: string;
}

/** Two runs beside each other. */
export interface Pair {
  /** The command that compares them again. */
  command: string;
  /** The number of steps from the start that are the same in both. */
  agree: number;
  /** In each run the first event that differs: a step and a part of it; null if the run has ended. */
  first: ({ step: number; part: number } | null)[];
}

/** One run; or two, and how they relate. */
export interface Page {
  runs: Diagram[];
  pair: Pair | null;
}

type PackedPage = Partial<PackedRun & Names & Pair & { runs: Partial<PackedRun>[] }> & { version?: number };

const VERSION = 1;

/** Reads the data; it complains about another version rather than draw something wrong. */
export function readPage(json: string): Page {
  const read = JSON.parse(json) as PackedPage;
  if (read.version !== VERSION) {
    throw new Error(`This viewer reads version ${VERSION} of a diagram, not ${String(read.version)}.`);
  }
  const { texts, events, runs, agree, first, command } = read;
  if (!texts || !events) throw new Error(INCOMPLETE);
  // A seed can have more digits than a number of this language keeps. Quotes in texts are escaped, so these are the fields.
  const seeds = [...json.matchAll(/"seed":\s*(\d+)/g)].map((found) => found[1]);
  const made = (runs ?? [read]).map((run, index) => readDiagram(run, { texts, events }, seeds[index]));
  const pair = made.length === 2 ? { agree: agree ?? 0, first: first ?? [null, null], command: command ?? '' } : null;
  return { runs: made, pair };
}

const INCOMPLETE = 'The data of this page is incomplete.';

function readDiagram(packed: Partial<PackedRun>, names: Names, seed: string | undefined): Diagram {
  const { about, lanes, steps, parts, changes, messages: columns } = packed;
  if (!about || !lanes || !steps || !parts || !changes || !columns) throw new Error(INCOMPLETE);
  const run = packed as PackedRun;
  const { texts } = names;
  const messages = unpackMessages(run);
  /** What a part says that says no more than its message. */
  const usual = (event: string, index: number): TextId => {
    const { from, to, text } = messages[index];
    const link = event === 'deliver' ? `from ${lanes[from]?.name ?? ''}` : `to ${lanes[to]?.name ?? ''}`;
    return texts.push(`${texts[text]} ${link}`) - 1;
  };
  return {
    version: VERSION,
    about: { ...about, seed: seed ?? about.seed },
    lanes,
    steps: unpackSteps(run, names, usual),
    texts,
    verdicts: run.verdicts ?? [],
    messages,
    bands: (run.bands ?? []).map((band) => ({ ...band, lanes: band.lanes ?? [] })),
    story: run.story ?? null,
    bound: run.bound ?? null,
  };
}
