import { button, element } from './element.ts';
import type { Run } from './run.ts';
import type { View } from './view.ts';
import { calmParts, counted, shortened, visible } from './words.ts';

const STANDINGS: Record<string, [string, string]> = {
  past: ['', ''],
  fault: ['fault', 'A fault: '],
  missing: ['missing', 'What did not arrive: '],
};

/** The column beside the diagram: the story of the violation, or what the run is about. */
export class StoryColumn {
  readonly root: HTMLElement;
  private readonly rows: HTMLButtonElement[] = [];

  constructor(private readonly run: Run, private readonly choose: (step: number) => void) {
    const story = run.diagram.story;
    this.root = element('section', { class: 'story', 'aria-label': story ? 'Story of the violation' : 'About the run' });
    if (story) this.tellStory();
    else this.tellRun();
  }

  /** Marks the rows of the selected step. */
  follow(view: View): void {
    const story = this.run.diagram.story;
    const selected = view.selected?.what === 'step' ? view.selected.index : -1;
    this.rows.forEach((row, index) => {
      const isCurrent = story?.rows[index].steps.includes(selected) ?? false;
      row.setAttribute('aria-current', String(isCurrent));
    });
    this.rows.find((row) => row.getAttribute('aria-current') === 'true')?.scrollIntoView({ block: 'nearest' });
  }

  /** The row after or before the one that is selected; steps that are not told lie between rows. */
  neighbour(selected: number | null, direction: 1 | -1): number | null {
    const firsts = (this.run.diagram.story?.rows ?? []).map((row) => row.steps[0]);
    const steps = [...new Set(firsts)].sort((a, b) => a - b);
    if (selected === null) return (direction > 0 ? steps[0] : steps.at(-1)) ?? null;
    const found = direction > 0 ? steps.find((step) => step > selected) : steps.findLast((step) => step < selected);
    return found ?? null;
  }

  private tellStory(): void {
    const { story } = this.run.diagram;
    if (!story) return;
    const rows = story.rows.map((row) => {
      const [label, spoken] = STANDINGS[row.standing] ?? ['', ''];
      const who = row.lane == null ? 'network' : this.run.laneName(row.lane);
      const times = row.steps.length > 1 ? [element('span', { class: 'times' }, [`${row.steps.length}×`])] : [];
      const made = button('', { class: `row ${label}`, 'aria-label': `${spoken}${row.at}, ${shortened(who, 40)} ${shortened(calmParts(row.text), 400)}` }, () => this.choose(row.steps[0]));
      if (row.steps.some((step) => this.run.roots.has(step))) made.classList.add('root');
      made.append(
        element('span', { class: 'when' }, [visible(row.at)]),
        element('span', { class: 'what' }, [
          element('b', {}, [shortened(who, 24)]),
          ' ',
          shortened(calmParts(row.text), 400),
          ...(label ? [element('span', { class: 'tag' }, [label])] : []),
          ...times,
        ]),
      );
      this.rows.push(made);
      return element('li', {}, [made]);
    });
    this.root.append(
      element('h2', { class: 'violated' }, [element('span', { 'aria-hidden': 'true' }, ['✗ ']), shortened(story.property, 80)]),
      element('p', { class: 'message' }, [shortened(story.message, 600)]),
      element('ol', {}, rows),
    );
    if (story.left_out) this.root.append(element('p', { class: 'faint' }, [`${counted(story.left_out, 'row')} further away ${story.left_out === 1 ? 'is' : 'are'} left out.`]));
    if (story.needs?.length) {
      const needs = story.needs.map((need) => element('li', {}, [shortened(need, 400)]));
      this.root.append(element('h3', {}, ['What it needs']), element('ul', { class: 'needs' }, needs));
    }
  }

  private tellRun(): void {
    const { about, verdicts } = this.run.diagram;
    const facts: [string, string][] = [['Protocol', about.protocol], ['Problem', about.problem], ['Ended', about.ended], ['Digest', about.digest]];
    this.root.append(
      element('h2', {}, ['The run']),
      element('p', { class: 'message' }, [shortened(about.summary ?? '', 600)]),
      element('dl', {}, facts.flatMap(([name, value]) => [element('dt', {}, [name]), element('dd', {}, [shortened(value, 200)])])),
      element('h3', {}, ['Properties']),
      element('ul', { class: 'needs' }, verdicts.map((verdict) => element('li', {}, [
        element('b', {}, [shortened(verdict.property, 60)]), ` ${verdict.verdict}. `, shortened(verdict.text, 300),
      ]))),
    );
  }
}
