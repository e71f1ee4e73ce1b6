import { element } from './element.ts';
import type { Run } from './run.ts';
import { fate, partText } from './sentence.ts';
import type { Selection } from './view.ts';
import { duration, shortened } from './words.ts';

const PARTS_MAX = 10;

/** The whole text of what is under the pointer. */
export class Tooltip {
  readonly root = element('div', { class: 'tooltip', 'aria-hidden': 'true', hidden: '' });

  constructor(private readonly run: Run) {}

  show(what: Selection | null, x: number, y: number): void {
    this.root.hidden = what === null;
    if (what === null) return;
    this.root.replaceChildren(...(what.what === 'step' ? this.step(what.index) : this.message(what.index)));
    const { offsetWidth, offsetHeight } = this.root;
    const left = Math.min(x + 14, innerWidth - offsetWidth - 8);
    const top = y + 18 + offsetHeight > innerHeight ? y - offsetHeight - 12 : y + 18;
    this.root.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  }

  private step(index: number): HTMLElement[] {
    const { run } = this;
    const step = run.steps[index];
    const parts = step.parts.slice(0, PARTS_MAX).map((part) => element('li', {}, [shortened(partText(run, part), 400)]));
    const more = step.parts.length - PARTS_MAX;
    if (more > 0) parts.push(element('li', {}, [`and ${more} more`]));
    return [
      element('p', {}, [element('b', {}, [shortened(run.laneName(step.lane), 40)]), ` step ${step.number} · ${duration(step.at)}`]),
      element('ul', {}, parts),
    ];
  }

  private message(index: number): HTMLElement[] {
    const { run } = this;
    const message = run.messages[index];
    const ends = `${shortened(run.laneName(message.from), 30)} → ${shortened(run.laneName(message.to), 30)}`;
    return [
      element('p', {}, [element('b', {}, [ends])]),
      element('p', { class: 'content' }, [shortened(run.text(message.text), 400)]),
      element('p', {}, [shortened(fate(run, index), 300)]),
    ];
  }
}
