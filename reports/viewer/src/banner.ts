import { button, element } from './element.ts';
import type { Run } from './run.ts';
import type { View } from './view.ts';
import { counted } from './words.ts';

/** A line over the diagram: why some of it is pale or missing, and the way back. */
export class Banner {
  readonly root = element('div', { class: 'banner' });

  constructor(private readonly run: Run, private readonly acts: { back: () => void; point: () => void }) {}

  follow(view: View): void {
    const [text, action] = this.told(view);
    const isPoint = action === 'violation' || action === 'difference';
    const act = isPoint ? this.acts.point : this.acts.back;
    const label = isPoint ? `Go to the ${action}` : action;
    const key = isPoint ? 'v' : 'Esc';
    this.root.hidden = text === '' && action === '';
    this.root.replaceChildren(text, ...(action === '' ? [] : [button(label, { 'aria-keyshortcuts': key }, act), element('kbd', {}, [key])]));
  }

  private told(view: View): [string, string] {
    const number = (step: number): number => this.run.steps[step].number;
    if (view.selected) return ['', ''];
    if (view.query !== '') return ['', ''];
    if (view.isolated !== null) return [`Only the causal past of step ${number(view.isolated)}`, 'Show all steps'];
    const { difference } = this.run;
    if (difference && this.run.hasPoint) {
      const text = `Pale: the ${counted(difference.agree, 'step')} that both runs share`;
      return view.onStory ? [text, 'Show the whole run'] : ['', 'difference'];
    }
    if (this.run.roots.size === 0) return ['', ''];
    return view.onStory ? ['The story of the violation stands out', 'Show the whole run'] : ['', 'violation'];
  }
}
