import type { Band, Diagram, Message, Part, Step, TextId } from './data.ts';

/** A run in columns, as a page holds it: `diagram/packed.rs` writes it, and says what the columns mean. */
export interface PackedRun extends Omit<Diagram, 'version' | 'texts' | 'steps' | 'messages' | 'bands'> {
  steps: { number: number[]; at: number[]; lane: number[]; cause: number[]; parts: number[]; changes: number[] };
  parts: { event: number[]; text: TextId[]; message: number[] };
  changes: { field: TextId[]; value: TextId[] };
  messages: {
    from: number[];
    to: number[];
    kind: TextId[];
    text: TextId[];
    sent: (number | null)[];
    heard: number[][];
    lost: [message: number, at: number, after: number, reason: TextId][];
    arrives: [message: number, at: number][];
    late: number[];
    changed: number[];
    replayed: number[];
  };
  bands: Band[];
}

/** Texts and names of events, to which the columns of all runs of a page refer. */
export interface Names {
  events: string[];
  texts: string[];
}

/** The steps of a run, with their parts and their changes of states. */
export function unpackSteps({ steps, parts, changes }: PackedRun, { events }: Names, usual: (event: string, message: number) => TextId): Step[] {
  const latest = new Map<number, number>();
  let [number, at, part, change] = [0, 0, 0, 0];
  return steps.number.map((difference, index) => {
    number += difference;
    at += steps.at[index];
    const lane = steps.lane[index];
    const own: Part[] = [];
    for (const end = part + steps.parts[index]; part < end; part++) {
      const [event, text, message] = [events[parts.event[part]] ?? '', parts.text[part], parts.message[part]];
      own.push({ event, text: text < 0 ? usual(event, message) : text, message: message < 0 ? null : message });
    }
    const state: [TextId, TextId][] = [];
    for (const end = change + steps.changes[index]; change < end; change++) state.push([changes.field[change], changes.value[change]]);
    const cause = steps.cause[index] > 0 ? index - steps.cause[index] : null;
    const step = { number, at, lane: lane < 0 ? null : lane, before: latest.get(lane) ?? null, cause, parts: own, state };
    latest.set(lane, index);
    return step;
  });
}

/** The messages of a run. */
export function unpackMessages({ messages }: PackedRun): Message[] {
  let base = 0;
  const made: Message[] = messages.from.map((from, index) => {
    const difference = messages.sent[index];
    const sent = difference === null ? null : base + difference;
    base = sent ?? base;
    const heard = messages.heard[index].map((after) => base + after);
    return { from, to: messages.to[index], kind: messages.kind[index], text: messages.text[index], sent, heard };
  });
  for (const [index, at, after, reason] of messages.lost) made[index].lost = { at, after, reason };
  for (const [index, at] of messages.arrives) made[index].arrives = at;
  for (const index of messages.late) made[index].late = true;
  for (const index of messages.changed) made[index].changed = true;
  for (const index of messages.replayed) made[index].replayed = true;
  return made;
}
