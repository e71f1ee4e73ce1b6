import { relation } from './causality.ts';
import { button, element } from './element.ts';
import type { Run } from './run.ts';
import { fate, partText, sentence } from './sentence.ts';
import type { View } from './view.ts';
import { counted, duration, exactly, shortened } from './words.ts';

export interface InspectorActs {
  step: (step: number) => void;
  message: (message: number) => void;
}

/** The number of links in one list. */
const LINKS_MAX = 40;
const VALUE_LENGTH_MAX = 400;
/** Above this length, a value is cut to a few lines. */
const LINE_LENGTH_MAX = 60;

/** All about the selected event; or, if there is none, about all processes at the slider's position. */
export class Inspector {
  readonly root: HTMLElement;

  constructor(private readonly run: Run, private readonly acts: InspectorActs) {
    const name = run.difference ? ` of run ${run.difference.name}` : '';
    this.root = element('section', { class: 'inspector', 'aria-label': `Inspector${name}` });
  }

  follow(view: View): void {
    const { selected, measured } = view;
    if (selected?.what === 'step') this.showStep(selected.index, measured);
    else if (selected?.what === 'message') this.showMessage(selected.index);
    else this.showStates(view.position);
    this.root.scrollTop = 0;
  }

  private showStep(index: number, measured: number | null): void {
    const { run } = this;
    const step = run.steps[index];
    const parts = step.parts.map((part) => {
      const text = shortened(partText(run, part), 2000);
      const { message } = part;
      if (message == null) return element('li', {}, [text]);
      return element('li', {}, [button(text, { class: 'link' }, () => this.acts.message(message))]);
    });
    const where = `step ${step.number} · ${exactly(step.at)}`;
    this.root.replaceChildren(
      this.column('event', [
        element('h2', {}, [shortened(run.laneName(step.lane), 40), element('span', { class: 'faint' }, [` ${where}`])]),
        ...(measured === null ? [] : [element('p', { class: 'measure' }, [measure(run, index, measured)])]),
        element('ul', { class: 'parts' }, parts),
      ]),
      this.column('state', this.difference(index)),
      this.column('causes', [
        element('h3', {}, ['Why']),
        ...this.links([
          ...(step.cause == null ? [] : [{ label: causeLabel(run, index), step: step.cause }]),
          ...(step.before == null ? [] : [{ label: 'before it', step: step.before }]),
        ], 'Nothing led to it.'),
        element('h3', {}, ['Led to']),
        ...this.links([
          ...(run.causedBy.get(index) ?? []).map((caused) => ({ label: '', step: caused })),
          ...(run.next[index] < 0 ? [] : [{ label: 'next', step: run.next[index] }]),
        ], 'Nothing came of it.'),
      ]),
    );
  }

  private showMessage(index: number): void {
    const { run } = this;
    const message = run.messages[index];
    const title = `${shortened(run.laneName(message.from), 30)} → ${shortened(run.laneName(message.to), 30)}`;
    this.root.replaceChildren(
      this.column('event', [
        element('h2', {}, ['Message ', title]),
        element('p', { class: 'content' }, [shortened(run.text(message.text), 2000)]),
        element('p', {}, [shortened(fate(run, index), 400)]),
      ]),
      this.column('causes', [
        element('h3', {}, ['Sent']),
        ...this.links(message.sent == null ? [] : [{ label: '', step: message.sent }], 'Nobody sent it: the network made it up or sent it again.'),
        element('h3', {}, ['Delivered']),
        ...this.links(message.heard.map((step) => ({ label: '', step })), 'It was not delivered.'),
      ]),
    );
  }

  private showStates(position: number): void {
    const { run } = this;
    const step = run.steps[position];
    const cards = run.diagram.lanes.map((_, lane) => {
      const state = run.stateAfter(lane, position);
      const changed = step?.lane === lane ? new Set((step.state ?? []).map(([field]) => field)) : new Set<number>();
      const standing = run.bandsAt(lane, position).filter((band) => band.what !== 'condition').map((band) => shortened(run.text(band.text), 40));
      const rows = [...state].map(([field, value]) => {
        const row = element('tr', {}, [element('th', { scope: 'row' }, [shortened(run.text(field) || 'state', 40)]), element('td', {}, [this.value(value)])]);
        if (changed.has(field)) row.classList.add('changed');
        return row;
      });
      const title = element('h3', {}, [shortened(run.laneName(lane), 30), ...standing.map((text) => element('span', { class: 'tag' }, [text]))]);
      const body = rows.length ? [element('table', {}, [element('tbody', {}, rows)])] : [element('p', { class: 'faint' }, ['No state is recorded.'])];
      return element('div', { class: 'card' }, [title, ...body]);
    });
    const heading = step ? `After step ${step.number}, at ${duration(step.at)}` : 'No steps';
    const told = step ? [button(shortened(sentence(run, position), 200), { class: 'link' }, () => this.acts.step(position))] : [];
    this.root.replaceChildren(
      element('div', { class: 'states' }, [
        element('p', { class: 'at' }, [element('b', {}, [heading]), ' ', ...told]),
        element('div', { class: 'cards' }, cards),
      ]),
    );
  }

  private difference(index: number): HTMLElement[] {
    const { run } = this;
    const step = run.steps[index];
    const title = element('h3', {}, ['State']);
    if (step.lane == null) return [title, element('p', { class: 'faint' }, ['The network has no state.'])];
    const before = step.before == null ? new Map<number, number>() : run.stateAfter(step.lane, step.before);
    const after = run.stateAfter(step.lane, index);
    if (after.size === 0) return [title, element('p', { class: 'faint' }, ['No state is recorded.'])];
    const changed = new Set((step.state ?? []).map(([field]) => field));
    const row = (field: number): HTMLElement => {
      const [old, now] = [before.get(field), after.get(field)];
      const name = element('th', { scope: 'row' }, [shortened(run.text(field) || 'state', 40)]);
      if (!changed.has(field) || now === undefined) return element('tr', {}, [name, element('td', {}, now === undefined ? [] : [this.value(now)])]);
      const parts = old === undefined ? [] : [element('del', {}, [this.value(old)]), ' → '];
      return element('tr', { class: 'changed' }, [name, element('td', {}, [...parts, element('ins', {}, [this.value(now)])])]);
    };
    const first = [...after.keys()].filter((field) => changed.has(field)).map(row);
    const others = [...after.keys()].filter((field) => !changed.has(field)).map(row);
    const table = (rows: HTMLElement[]): HTMLElement => element('table', {}, [element('tbody', {}, rows)]);
    const parts: HTMLElement[] = [title];
    parts.push(first.length ? table(first) : element('p', { class: 'faint' }, ['Unchanged.']));
    if (others.length) {
      parts.push(element('details', {}, [element('summary', {}, [counted(others.length, 'other field')]), table(others)]));
    }
    return parts;
  }

  /** A value; a long one is cut to a few lines, and whole in its title. */
  private value(text: number): HTMLElement {
    const whole = shortened(this.run.text(text), VALUE_LENGTH_MAX);
    return element('span', whole.length > LINE_LENGTH_MAX ? { class: 'value', title: whole } : {}, [whole]);
  }

  private links(targets: readonly { label: string; step: number }[], otherwise: string): HTMLElement[] {
    if (targets.length === 0) return [element('p', { class: 'faint' }, [otherwise])];
    const items = targets.slice(0, LINKS_MAX).map(({ label, step }) => {
      const text = `${this.run.steps[step].number} · ${shortened(sentence(this.run, step), 110)}`;
      const made = button(text, { class: 'link' }, () => this.acts.step(step));
      return element('li', {}, [...(label ? [element('span', { class: 'label' }, [label])] : []), made]);
    });
    const more = targets.length - LINKS_MAX;
    return [element('ul', { class: 'links' }, items), ...(more > 0 ? [element('p', { class: 'faint' }, [`and ${more} more`])] : [])];
  }

  private column(name: string, children: readonly HTMLElement[]): HTMLElement {
    return element('div', { class: `column ${name}` }, children);
  }
}

/** Why a step followed from its cause. */
function causeLabel(run: Run, index: number): string {
  switch (run.steps[index].parts[0]?.event) {
    case 'deliver':
      return 'sent in';
    case 'timer':
      return 'timer set in';
    case 'suspect':
      return 'crashed in';
    case 'trust':
      return 'recovered in';
    default:
      return 'caused by';
  }
}

/** The distance between two steps in words. */
export function measure(run: Run, a: number, b: number): string {
  const [from, to] = [run.steps[a], run.steps[b]];
  const between = `${counted(Math.abs(to.number - from.number), 'step')}, ${duration(Math.abs(to.at - from.at))}`;
  const relations = {
    before: `step ${from.number} led to step ${to.number}`,
    after: `step ${to.number} led to step ${from.number}`,
    concurrent: 'neither led to the other',
    same: 'the same step',
  };
  return `From step ${from.number} to step ${to.number}: ${between}; ${relations[relation(run.steps, a, b)]}.`;
}
