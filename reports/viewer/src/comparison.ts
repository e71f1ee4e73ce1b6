import type { Pair, Verdict } from './data.ts';
import { button, element } from './element.ts';
import type { Run } from './run.ts';
import { fate, partText } from './sentence.ts';
import { counted, duration, shortened } from './words.ts';

const VALUE_LENGTH_MAX = 200;

/** The column beside two diagrams: where the runs part, the states there, and verdicts that differ. */
export class Comparison {
  readonly root: HTMLElement;

  constructor(private readonly runs: readonly Run[], private readonly pair: Pair, private readonly choose: (side: number, step: number) => void) {
    const isSame = pair.first.every((first) => first === null);
    const title = isSame ? 'The two runs are the same' : 'Where the runs part';
    this.root = element('section', { class: 'story comparison', 'aria-label': title }, [
      element('h2', {}, [title]),
      element('p', { class: 'message' }, [this.common(isSame)]),
      ...(isSame ? [] : [element('ol', {}, pair.first.map((_, side) => element('li', {}, [this.first(side)]))), ...this.states()]),
      ...this.verdicts(),
      ...this.ends(),
    ]);
  }

  private common(isSame: boolean): string {
    const { agree } = this.pair;
    if (isSame) return `${counted(agree, 'step')}, with the same events in the same order.`;
    const last = this.runs[0].steps[agree - 1];
    return last ? `The first ${counted(agree, 'step')} ${agree === 1 ? 'is' : 'are'} the same, until ${duration(last.at)}.` : 'They differ from the first step on.';
  }

  /** The first event of a run that differs. */
  private first(side: number): HTMLElement {
    const run = this.runs[side];
    const first = this.pair.first[side];
    const name = element('b', { class: 'letter' }, [run.difference?.name ?? '']);
    if (first === null) return element('p', { class: 'side' }, [name, element('span', { class: 'what' }, ['has ended'])]);
    const step = run.steps[first.step];
    const [own, other] = [this.told(side), this.told(1 - side)];
    const message = step.parts[first.part]?.message;
    // What is sent alike can arrive at another time.
    const told = shortened(own === other && message != null ? `${own}: ${fate(run, message)}` : own, 300);
    const made = button('', { class: 'side' }, () => this.choose(side, first.step));
    made.append(name, element('span', { class: 'what' }, [told]), element('span', { class: 'when' }, [`step ${step.number} · ${duration(step.at)}`]));
    return made;
  }

  private told(side: number): string {
    const run = this.runs[side];
    const first = this.pair.first[side];
    const step = first && run.steps[first.step];
    const part = step?.parts[first?.part ?? 0];
    return part ? `${run.laneName(step?.lane)} ${partText(run, part)}` : '';
  }

  /** The states of the processes of the first events, after their steps, as far as they differ. */
  private states(): HTMLElement[] {
    const { first } = this.pair;
    const lanes = first.flatMap((one, side) => (one ? [this.runs[side].steps[one.step].lane ?? -1] : []));
    const tables = [...new Set(lanes)].filter((lane) => lane >= 0).flatMap((lane) => this.stateOf(lane));
    return tables.length ? [element('h3', {}, ['States after it']), ...tables] : [];
  }

  private stateOf(lane: number): HTMLElement[] {
    const [a, b] = this.runs.map((run, side) => run.stateAfter(lane, this.pair.first[side]?.step ?? run.steps.length - 1));
    if (a.size + b.size === 0) return [];
    const title = element('h4', {}, [shortened(this.runs.find((run) => lane < run.laneCount)?.laneName(lane) ?? '', 30)]);
    const value = (run: Run, state: Map<number, number>, field: number): string => {
      const text = state.get(field);
      return text === undefined ? '–' : shortened(run.text(text), VALUE_LENGTH_MAX);
    };
    const fields = [...new Set([...a.keys(), ...b.keys()])].filter((field) => a.get(field) !== b.get(field));
    const rows = fields.map((field) => element('tr', {}, [
      element('th', { scope: 'row' }, [shortened(this.runs[0].text(field) || 'state', 40)]),
      ...[a, b].map((state, side) => element('td', {}, [element('span', { class: 'value' }, [value(this.runs[side], state, field)])])),
    ]));
    if (rows.length === 0) return [title, element('p', { class: 'faint' }, ['The same in both.'])];
    const head = element('thead', {}, [element('tr', {}, ['', 'A', 'B'].map((name) => element('th', { scope: 'col' }, [name])))]);
    return [title, element('table', {}, [head, element('tbody', {}, rows)])];
  }

  private verdicts(): HTMLElement[] {
    const [a, b] = this.runs.map((run) => new Map(run.diagram.verdicts.map((verdict): [string, Verdict] => [verdict.property, verdict])));
    const properties = [...new Set([...a.keys(), ...b.keys()])].filter((property) => a.get(property)?.verdict !== b.get(property)?.verdict);
    if (properties.length === 0) return [];
    const word = (verdicts: Map<string, Verdict>, property: string): string => verdicts.get(property)?.verdict ?? 'not checked';
    const items = properties.map((property) => element('li', {}, [
      element('b', {}, [shortened(property, 60)]), ` A: ${word(a, property)}, B: ${word(b, property)}`,
    ]));
    return [element('h3', {}, ['Verdicts that differ']), element('ul', { class: 'needs' }, items)];
  }

  private ends(): HTMLElement[] {
    const items = this.runs.map((run) => {
      const { summary, protocol, mutant, ended } = run.diagram.about;
      const told = [protocol, mutant ? `mutant ${mutant}` : '', `ended ${ended}`].filter((part) => part !== '').join(', ');
      return element('li', {}, [element('b', {}, [run.difference?.name ?? '']), ` ${shortened(told, 200)}. `, element('span', { class: 'faint' }, [shortened(summary ?? '', 400)])]);
    });
    return [element('h3', {}, ['The runs']), element('ul', { class: 'needs' }, items)];
  }
}
