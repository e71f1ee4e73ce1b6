/** The data of a page: a run, as the program writes it. Times are in nanoseconds. */

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

const VERSION = 1;

/** Reads the data; it complains about another version rather than draw something wrong. */
export function readDiagram(json: string): Diagram {
  const read = JSON.parse(json) as Partial<Diagram>;
  if (read.version !== VERSION) {
    throw new Error(`This viewer reads version ${VERSION} of a diagram, not ${String(read.version)}.`);
  }
  const { about, lanes, steps, texts } = read;
  if (!about || !lanes || !steps || !texts) throw new Error('The data of this page is incomplete.');
  // A seed can have more digits than a number of this language keeps. Quotes in texts are escaped, so this is the field.
  const seed = /"seed":\s*(\d+)/.exec(json)?.[1] ?? about.seed;
  return {
    version: VERSION,
    about: { ...about, seed },
    lanes,
    steps,
    texts,
    verdicts: read.verdicts ?? [],
    messages: (read.messages ?? []).map((message) => ({ ...message, heard: message.heard ?? [] })),
    bands: (read.bands ?? []).map((band) => ({ ...band, lanes: band.lanes ?? [] })),
    story: read.story ?? null,
    bound: read.bound ?? null,
  };
}
