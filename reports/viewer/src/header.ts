import type { Verdict } from './data.ts';
import { button, element } from './element.ts';
import type { Run } from './run.ts';
import { calmMotion } from './theme.ts';
import { counted, shortened, visible } from './words.ts';

const SIGNS: Record<string, [string, string]> = {
  held: ['✓', 'holds'],
  vacuous: ['✓', 'holds, but was never put to the test'],
  undecided: ['?', 'is undecided'],
  violated: ['✗', 'is violated'],
};
const ORDER = ['violated', 'undecided', 'vacuous', 'held'];

export interface HeaderActs {
  help: () => void;
  theme: () => void;
}

/** The line at the top: the run, the verdicts, the command. */
export class Header {
  readonly root: HTMLElement;
  private readonly copyButton: HTMLButtonElement;
  private readonly details = element('div', { class: 'verdict-details', role: 'status', hidden: '' });
  private opened: string | null = null;

  constructor(private readonly run: Run, acts: HeaderActs) {
    const { about } = run.diagram;
    const title = element('h1', { title: visible(about.scenario) }, [shortened(about.scenario, 60)]);
    const facts = [
      `seed ${about.seed}`,
      counted(run.laneCount, 'process').replace('processs', 'processes'),
      counted(about.events, 'event'),
      ...(about.mutant ? [`mutant ${shortened(about.mutant, 30)}`] : []),
      ...(about.truncated ? ['only the beginning of the run'] : []),
    ];
    this.copyButton = button('Copy command', { class: 'copy', 'aria-keyshortcuts': 'c', title: visible(about.command) }, () => void this.copy());
    this.root = element('header', { class: 'header' }, [
      element('div', { class: 'about' }, [title, ...facts.map((fact) => element('span', { class: 'fact' }, [fact]))]),
      element('ul', { class: run.diagram.verdicts.length > 4 ? 'chips many' : 'chips', 'aria-label': 'Verdicts' }, this.chips()),
      element('div', { class: 'acts' }, [
        this.copyButton,
        button('◐', { class: 'icon', 'aria-label': 'Switch between light and dark', title: 'Light or dark' }, acts.theme),
        button('?', { class: 'icon', 'aria-label': 'Help: keys and marks', title: 'Keys and marks' }, acts.help),
      ]),
      this.details,
    ]);
  }

  /** Copies the command that shows the run again. */
  async copy(): Promise<void> {
    const { command } = this.run.diagram.about;
    let isCopied = true;
    try {
      await navigator.clipboard.writeText(command);
    } catch {
      isCopied = copyBySelection(command);
    }
    this.copyButton.textContent = isCopied ? 'Copied' : 'Copy failed';
    setTimeout(() => (this.copyButton.textContent = 'Copy command'), calmMotion() ? 3000 : 1500);
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

/** Without the clipboard's interface, as on pages from files in some browsers. */
function copyBySelection(text: string): boolean {
  const area = element('textarea', { class: 'offscreen', 'aria-hidden': 'true' });
  area.value = text;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  return isCopied;
}
