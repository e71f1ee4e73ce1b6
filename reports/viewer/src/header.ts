import type { Verdict } from './data.ts';
import type { Acts } from './acts.ts';
import { button, element } from './element.ts';
import type { Run } from './run.ts';
import { counted, shortened, visible } from './words.ts';

const SIGNS: Record<string, [string, string]> = {
  held: ['✓', 'holds'],
  vacuous: ['✓', 'holds, but was never put to the test'],
  undecided: ['?', 'is undecided'],
  violated: ['✗', 'is violated'],
};
const ORDER = ['violated', 'undecided', 'vacuous', 'held'];

/** The line at the top: the run, the verdicts, the buttons; below it, what the page does not show. */
export class Header {
  readonly root: HTMLElement;
  private readonly details = element('div', { class: 'verdict-details', role: 'status', hidden: '' });
  private opened: string | null = null;

  constructor(private readonly run: Run, acts: Acts | null) {
    const { about } = run.diagram;
    const title = element('h1', { title: visible(about.scenario) }, [shortened(about.scenario, 60)]);
    const letter = run.difference ? [element('b', { class: 'letter' }, [run.difference.name])] : [];
    const facts = [
      `seed ${about.seed}`,
      counted(run.laneCount, 'process').replace('processs', 'processes'),
      counted(about.events, 'event'),
      ...(about.mutant ? [`mutant ${shortened(about.mutant, 30)}`] : []),
      ...(about.truncated ? ['only the beginning of the run'] : []),
    ];
    this.root = element('header', { class: 'header' }, [
      element('div', { class: 'about' }, [...letter, title, ...facts.map((fact) => element('span', { class: 'fact' }, [fact]))]),
      element('ul', { class: run.diagram.verdicts.length > 4 ? 'chips many' : 'chips', 'aria-label': run.difference ? `Verdicts of run ${run.difference.name}` : 'Verdicts' }, this.chips()),
      ...(acts ? [acts.root] : []),
      this.details,
      ...(about.notices ?? []).map((notice) => element('p', { class: 'notice' }, [shortened(notice, 300)])),
    ]);
  }

  private chips(): HTMLElement[] {
    const verdicts = [...this.run.diagram.verdicts];
    verdicts.sort((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict));
    return verdicts.map((verdict) => {
      const [sign, meaning] = SIGNS[verdict.verdict] ?? ['?', verdict.verdict];
      const chip = button('', {
        class: `chip ${verdict.verdict in SIGNS ? verdict.verdict : ''}`,
        'aria-expanded': 'false',
        'aria-label': `${shortened(verdict.property, 80)} ${meaning}`,
        title: shortened(`${verdict.property} ${meaning}. ${verdict.text}`, 300),
      }, () => this.toggle(verdict, chip));
      chip.append(element('span', { class: 'sign', 'aria-hidden': 'true' }, [sign]), shortened(verdict.property, 40));
      return element('li', {}, [chip]);
    });
  }

  private toggle(verdict: Verdict, chip: HTMLElement): void {
    const isOpen = this.opened === verdict.property;
    this.opened = isOpen ? null : verdict.property;
    for (const other of this.root.querySelectorAll('.chip')) other.setAttribute('aria-expanded', 'false');
    chip.setAttribute('aria-expanded', String(!isOpen));
    this.details.hidden = isOpen;
    const [sign, meaning] = SIGNS[verdict.verdict] ?? ['?', verdict.verdict];
    this.details.replaceChildren(
      element('strong', {}, [`${sign} ${shortened(verdict.property, 80)} (${verdict.kind}) ${meaning}.`]),
      element('span', {}, [` ${shortened(verdict.text, 600)} `]),
      element('em', {}, [verdict.message ? shortened(verdict.message, 600) : '']),
    );
  }
}
