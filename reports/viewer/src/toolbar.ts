import { button, element } from './element.ts';
import { matching, parseQuery } from './query.ts';
import type { Run } from './run.ts';
import { kindColour, themeNow } from './theme.ts';
import { toggled, type View, type ViewStore } from './view.ts';
import { counted, duration, shortened } from './words.ts';

export interface ToolbarActs {
  go: (step: number) => void;
  step: (direction: 1 | -1) => void;
  toggleAxis: () => void;
}

/** The controls below the diagram: kinds of messages, processes, search, the slider, the axis. */
export class Toolbar {
  readonly root: HTMLElement;
  readonly search: HTMLInputElement;
  private readonly slider: HTMLInputElement;
  private readonly clock: HTMLElement;
  private readonly found: HTMLElement;
  private readonly axis: HTMLButtonElement;
  private readonly fold: HTMLButtonElement;
  private readonly only: HTMLButtonElement;
  private readonly laneBoxes: HTMLInputElement[];
  private readonly kindButtons: HTMLButtonElement[];
  private readonly lanesMenu: HTMLDetailsElement;
  private matches: number[] = [];

  constructor(private readonly run: Run, private readonly store: ViewStore, private readonly acts: ToolbarActs) {
    this.search = element('input', { type: 'search', placeholder: 'Search  /', 'aria-label': 'Search: words, or “A before B”', 'aria-keyshortcuts': '/', spellcheck: 'false' });
    this.search.addEventListener('input', () => store.update({ query: this.search.value.trim(), selected: null }));
    this.search.addEventListener('keydown', (event) => this.searchKey(event));
    this.found = element('output', { class: 'found', 'aria-live': 'polite' });
    this.slider = element('input', { type: 'range', min: '0', max: String(Math.max(0, run.steps.length - 1)), step: '1', 'aria-label': 'Position in the run' });
    this.slider.addEventListener('input', () => store.update({ position: Number(this.slider.value), selected: null, measured: null }));
    this.clock = element('output', { class: 'clock' });
    this.axis = button('', { class: 'axis', 'aria-keyshortcuts': 't', title: 'By step: evenly spaced; by time: true to scale (t)' }, acts.toggleAxis);
    this.fold = button('Fold local', { 'aria-pressed': 'false', 'aria-keyshortcuts': 'f', title: 'Leave out events that concern one process only (f)' }, () => store.update({ folded: !store.now.folded }));
    this.only = button('Only matches', { 'aria-pressed': 'false', title: 'Leave out all that the search does not find' }, () => store.update({ onlyMatches: !store.now.onlyMatches }));
    this.kindButtons = run.kinds.map((kind) => this.kindButton(kind.text, kind.name, kind.colour, kind.count));
    this.laneBoxes = run.diagram.lanes.map((_, lane) => this.laneBox(lane));
    this.lanesMenu = element('details', { class: 'menu' }, [
      element('summary', {}, ['Processes']),
      element('div', { class: 'menu-body' }, this.laneBoxes.map((box, lane) => element('label', {}, [box, ` ${shortened(run.laneName(lane), 24)}`, roleText(run, lane)]))),
    ]);
    this.root = element('div', { class: 'toolbar', role: 'toolbar', 'aria-label': 'Filters and position' }, [
      element('div', { class: 'position' }, [
        ...(run.difference ? [element('b', { class: 'letter' }, [run.difference.name])] : []),
        button('◂', { class: 'icon', 'aria-label': 'Previous step' }, () => acts.step(-1)),
        this.slider,
        button('▸', { class: 'icon', 'aria-label': 'Next step' }, () => acts.step(1)),
        this.clock,
      ]),
      element('div', { class: 'kinds', role: 'group', 'aria-label': 'Kinds of messages' }, this.kindButtons),
      element('div', { class: 'find' }, [this.search, this.found, this.only, this.lanesMenu, this.fold, this.axis]),
    ]);
    this.follow(store.now);
  }

  follow(view: View): void {
    const step = this.run.steps[view.position];
    this.slider.value = String(view.position);
    const text = step ? `step ${step.number} · ${duration(step.at)}` : '';
    this.slider.setAttribute('aria-valuetext', text);
    this.clock.textContent = text;
    this.axis.replaceChildren(
      element('span', { class: view.axis === 'step' ? 'on' : '' }, ['by step']),
      element('span', { class: view.axis === 'time' ? 'on' : '' }, ['by time']),
    );
    this.axis.setAttribute('aria-label', `Axis: by ${view.axis}`);
    this.fold.setAttribute('aria-pressed', String(view.folded));
    this.only.setAttribute('aria-pressed', String(view.onlyMatches));
    this.only.hidden = view.query === '';
    this.laneBoxes.forEach((box, lane) => (box.checked = !view.hiddenLanes.has(lane)));
    this.run.kinds.forEach((kind, index) => this.kindButtons[index].setAttribute('aria-pressed', String(!view.hiddenKinds.has(kind.text))));
    const hidden = view.hiddenLanes.size;
    const summary = this.lanesMenu.querySelector('summary');
    if (summary) summary.textContent = hidden ? `Processes (${hidden} hidden)` : 'Processes';
    if (document.activeElement !== this.search) this.search.value = view.query;
    this.matches = view.query === '' ? [] : matching(this.run, parseQuery(view.query)).order;
    this.found.textContent = view.query === '' ? '' : counted(this.matches.length, 'match').replace('matchs', 'matches');
  }

  /** The colours of kinds follow the theme. */
  recolour(): void {
    this.run.kinds.forEach((kind, index) => {
      this.kindButtons[index].style.setProperty('--kind', kindColour(themeNow(), kind.colour));
    });
  }

  closeMenu(): boolean {
    const wasOpen = this.lanesMenu.open;
    this.lanesMenu.open = false;
    return wasOpen;
  }

  private kindButton(text: number, name: string, colour: number, count: number): HTMLButtonElement {
    const label = shortened(name, 24) || '(no name)';
    const made = button('', { class: 'kind', 'aria-pressed': 'true', title: `${label}: ${counted(count, 'message')}. Click to hide or show.` }, () => {
      this.store.update({ hiddenKinds: toggled(this.store.now.hiddenKinds, text) });
    });
    made.append(element('span', { class: 'swatch', 'aria-hidden': 'true' }), label, element('span', { class: 'count' }, [String(count)]));
    made.style.setProperty('--kind', kindColour(themeNow(), colour));
    return made;
  }

  private laneBox(lane: number): HTMLInputElement {
    const box = element('input', { type: 'checkbox' });
    box.checked = true;
    box.addEventListener('change', () => this.store.update({ hiddenLanes: toggled(this.store.now.hiddenLanes, lane) }));
    return box;
  }

  private searchKey(event: KeyboardEvent): void {
    event.stopPropagation();
    if (event.key === 'Escape') {
      this.search.value = '';
      this.store.update({ query: '', onlyMatches: false });
      this.search.blur();
      return;
    }
    if (event.key !== 'Enter' || this.matches.length === 0) return;
    const { position } = this.store.now;
    const next = event.shiftKey
      ? (this.matches.findLast((step) => step < position) ?? this.matches.at(-1))
      : (this.matches.find((step) => step > position) ?? this.matches[0]);
    if (next !== undefined) this.acts.go(next);
  }
}

function roleText(run: Run, lane: number): string {
  const role = run.diagram.lanes[lane].role;
  return role ? ` (${shortened(role, 24)})` : '';
}
