import { button, element } from './element.ts';
import type { Run } from './run.ts';
import type { View } from './view.ts';

/** A line over the diagram: why some of it is pale or missing, and the way back. */
export class Banner {
  readonly root = element('div', { class: 'banner' });

  constructor(private readonly run: Run, private readonly acts: { back: () => void; violation: () => void }) {}

  follow(view: View): void {
    const [text, action] = this.told(view);
    const act = action === 'violation' ? this.acts.violation : this.acts.back;
    const label = action === 'violation' ? 'Go to the violation' : action;
    const key = action === 'violation' ? 'v' : 'Esc';
    this.root.hidden = text === '' && action === '';
    this.root.replaceChildren(text, ...(action === '' ? [] : [button(label, { 'aria-keyshortcuts': key }, act), element('kbd', {}, [key])]));
  }

  private told(view: View): [string, string] {
    const number = (step: number): number => this.run.steps[step].number;
    if (view.selected) return ['', ''];
    if (view.query !== '') return ['', ''];
    if (view.isolated !== null) return [`Only the causal past of step ${number(view.isolated)}`, 'Show all steps'];
    if (this.run.roots.size === 0) return ['', ''];
    return view.onStory ? ['The story of the violation stands out', 'Show the whole run'] : ['', 'violation'];
  }
}
