import type { Part } from './data.ts';
import type { Run } from './run.ts';
import { calm, duration, listed, shortened, visible } from './words.ts';

/** What a part of a step is, in plain words. */
export function partText(run: Run, part: Part): string {
  const text = visible(run.text(part.text));
  switch (part.event) {
    case 'deliver':
      return `delivers ${text}`;
    case 'send':
      return `sends ${text}`;
    case 'drop':
      return `sends ${text}, which is lost${lossReason(run, part)}`;
    case 'carry':
      return `carries ${text}`;
    case 'garble':
    case 'replay':
      return text;
    default:
      return calm(text);
  }
}

function lossReason(run: Run, part: Part): string {
  const lost = part.message == null ? null : run.messages[part.message]?.lost;
  return lost ? `: ${run.text(lost.reason)}` : '';
}

/** A step as one sentence: `p1 delivers Data(1) from p0; sends Ack(1) to p0 and p2`. */
export function sentence(run: Run, index: number, lengthMax = 90): string {
  const step = run.steps[index];
  const told: string[] = [];
  const sent = new Map<string, string[]>();
  for (const part of step.parts) {
    const message = part.message == null ? null : run.messages[part.message];
    if (part.event === 'send' && message) {
      const content = shortened(run.text(message.text), lengthMax);
      const to = sent.get(content) ?? [];
      sent.set(content, [...to, run.laneName(message.to)]);
    } else {
      told.push(shortened(partText(run, part), lengthMax));
    }
  }
  for (const [content, to] of sent) told.push(`sends ${content} to ${listed(to)}`);
  return `${run.laneName(step.lane)} ${told.join('; ')}`;
}

/** The sentence of a step with its number and its time. */
export function spoken(run: Run, index: number): string {
  const step = run.steps[index];
  return `Step ${step.number} at ${duration(step.at)}: ${sentence(run, index)}.`;
}

/** A message as one sentence. */
export function messageSentence(run: Run, index: number): string {
  const message = run.messages[index];
  const [from, to] = [run.laneName(message.from), run.laneName(message.to)];
  const content = shortened(run.text(message.text), 90);
  return `${content} from ${from} to ${to}: ${fate(run, index)}`;
}

/** What became of a message. */
export function fate(run: Run, index: number): string {
  const message = run.messages[index];
  const odd = [
    message.sent == null ? 'sent by nobody' : '',
    message.late ? 'late' : '',
    message.changed ? 'changed on its way' : '',
    message.replayed ? 'replayed by the network' : '',
    message.heard.length > 1 ? `delivered ${message.heard.length} times` : '',
  ].filter((word) => word !== '');
  const suffix = odd.length ? ` (${odd.join(', ')})` : '';
  if (message.heard.length) {
    const heard = run.steps[message.heard[0]];
    const sent = message.sent == null ? null : run.steps[message.sent];
    const took = sent ? ` after ${duration(heard.at - sent.at)}` : '';
    return `delivered in step ${heard.number}${took}${suffix}`;
  }
  if (message.lost) {
    return `lost at ${duration(message.lost.at)}: ${run.text(message.lost.reason)}${suffix}`;
  }
  return `still under way at the end${suffix}`;
}

/** The few words that stand beside a mark on its lane; empty if the mark says it all. */
export function markWords(run: Run, part: Part): string {
  const text = calm(run.text(part.text));
  switch (part.event) {
    case 'request':
      return text.replace(/^is asked for /, '');
    case 'request-lost':
      return text.replace(/^is down and not asked for /, 'not asked: ');
    case 'indicate':
      return text.replace(/^announces /, '');
    case 'violation':
      return text.replace(/:.*$/s, '');
    case 'timer':
      return text.replace(/^timer /, '').replace(/ fires$/, '');
    case 'reach':
      return text.replace(/^reaches /, '');
    case 'crash':
      return 'crashes';
    case 'recover':
      return 'recovers';
    case 'doubled':
      return 'has a twin';
    case 'append':
      return text.replace(/^logs /, '');
    case 'corrupt':
      return text.replace(/^turns /, '');
    case 'begins':
    case 'note':
      return '';
    default:
      return text;
  }
}
