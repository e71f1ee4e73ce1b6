import { button, element } from './element.ts';

const KEYS: [string, string][] = [
  ['← →', 'previous, next step of the process'],
  ['↑ ↓', 'back to the cause, on to what it caused'],
  ['[ ]', 'previous, next event of the story'],
  [', .', 'slider back, forward'],
  ['+ −', 'zoom in, out'],
  ['/', 'search words, or “A before B”; Enter jumps'],
  ['t', 'by step or by time'],
  ['f', 'fold local events'],
  ['i', 'only the causal past of the selected event'],
  ['v', 'to the violation, or to where two runs part'],
  ['s', 'hide or show the story'],
  ['c', 'copy the command'],
  ['d', 'dark or light'],
  ['Esc', 'back, and in the end the whole run'],
];

const PAIR_KEYS: [string, string][] = [['o', 'to the other run']];

const HANDS: [string, string][] = [
  ['wheel, pinch', 'zoom; with shift, or sideways: move'],
  ['drag', 'move'],
  ['click', 'select: past and future stand out'],
  ['double click', 'only the causal past'],
  ['shift-click', 'measure from the selected event'],
];

const MARKS: [string, string][] = [
  ['●', 'a step; its words stand above or below'],
  ['▼', 'a request of a client'],
  ['▬', 'an indication'],
  ['▯ ▮', 'a log record, filled once it is durable'],
  ['○', 'a timer ran out; the hairline shows since when'],
  ['◇ ◆', 'suspects a process, trusts it again'],
  ['╳ ◎', 'crashes, recovers; no line while down'],
  ['‖ ▶', 'pauses, resumes; dotted while paused'],
  ['═', 'is Byzantine'],
  ['──✕', 'a message is lost here'],
  ['─ ─▸', 'late; or led through a hidden process'],
  ['──▷', 'changed on its way'],
  ['···▸', 'sent again, or by nobody'],
  ['▨', 'a condition of the network, or a fault of links'],
];

/** What keys and marks mean. */
export class Help {
  readonly root: HTMLDialogElement;

  /** `isPair`: the page shows two runs. */
  constructor(isPair = false) {
    const section = (title: string, rows: [string, string][]): HTMLElement => element('section', {}, [
      element('h3', {}, [title]),
      element('dl', {}, rows.flatMap(([key, meaning]) => [element('dt', {}, [key]), element('dd', {}, [meaning])])),
    ]);
    this.root = element('dialog', { class: 'help', 'aria-label': 'Keys and marks' }, [
      section('Keys', isPair ? [...KEYS, ...PAIR_KEYS] : KEYS),
      section('Hand', HANDS),
      section('Marks', MARKS),
      element('p', { class: 'faint' }, [
        'Colours tell kinds of messages apart; red is only for the violation, the accent for what is selected. Words are left out where there is no room: zoom in, or point at a mark.',
      ]),
      button('Close', { class: 'close' }, () => this.root.close()),
    ]);
    this.root.addEventListener('click', (event) => event.target === this.root && this.root.close());
  }

  toggle(): void {
    if (this.root.open) this.root.close();
    else this.root.showModal();
  }
}
