import { Acts } from './acts.ts';
import { readAddress, writeAddress } from './address.ts';
import { foldButton, switchTheme } from './app.ts';
import { Comparison } from './comparison.ts';
import type { Page, Pair } from './data.ts';
import type { Desk } from './desk.ts';
import type { DiagramView } from './diagram.ts';
import { element } from './element.ts';
import { Frame } from './frame.ts';
import { Header } from './header.ts';
import { Help } from './help.ts';
import { bindKeys } from './keys.ts';
import { Panel } from './panel.ts';
import { bindPointer } from './pointer.ts';
import { Run } from './run.ts';
import type { Selection, View } from './view.ts';

const NAMES = ['A', 'B'];

/** The page of two runs, one above the other. What is done in one is done in the other, as far as it has a counterpart. */
export class PairApp implements Desk {
  readonly help = new Help(true);
  readonly panels: readonly Panel[];
  private active: Panel;
  private readonly acts: Acts;
  private readonly comparison: Comparison;
  private readonly frame = new Frame<DiagramView>();
  private readonly live = element('p', { class: 'offscreen', 'aria-live': 'polite' });
  private readonly main: HTMLElement;
  private isFollowing = false;
  private addressTimer = 0;

  constructor({ runs }: Page, private readonly pair: Pair, root: HTMLElement) {
    const made = runs.map((run, side) => new Run(run, { name: NAMES[side], agree: pair.agree, first: pair.first[side] }, runs));
    this.panels = made.map((run, side) => {
      return new Panel(run, (text) => (this.live.textContent = `${NAMES[side]}: ${text}`), {}, this.frame);
    });
    this.active = this.panels[0];
    this.acts = new Acts(pair.command, { help: () => this.help.toggle(), theme: () => this.toggleTheme() });
    this.comparison = new Comparison(made, pair, (side, step) => this.go(side, step));
    const diagrams = element('div', { class: 'diagrams' }, this.panels.map((panel) => panel.diagram.root));
    this.main = element('div', { class: 'main' }, [this.comparison.root, foldButton(() => this.toggleStory()), diagrams]);
    const headers = made.map((run, side) => new Header(run, side === 0 ? this.acts : null).root);
    root.classList.add('pair');
    root.replaceChildren(
      element('div', { class: 'headers' }, headers),
      this.main,
      element('div', { class: 'strip' }, [...this.panels.map((panel) => panel.minimap.root), ...this.panels.map((panel) => panel.toolbar.root)]),
      element('div', { class: 'inspectors' }, this.panels.map((panel) => panel.inspector.root)),
      ...this.panels.map((panel) => panel.tooltip.root),
      this.live,
      this.help.root,
    );
    this.panels.forEach((panel) => this.bind(panel));
    bindKeys(this);
    this.activate(this.active);
    addEventListener('hashchange', () => location.hash !== this.address && this.openAddress());
    this.panels.forEach((panel) => panel.open(null));
    if (location.hash !== '') this.openAddress();
  }

  get panel(): Panel {
    return this.active;
  }

  /** The only events that the page tells are those in which the runs part. */
  neighbour(): number | null {
    return this.active.run.difference?.first?.step ?? null;
  }

  showPoint(): void {
    this.active.showPoint();
  }

  copy(): void {
    void this.acts.copy();
  }

  toggleStory(): void {
    this.main.classList.toggle('without-story');
    for (const panel of this.panels) panel.diagram.resize();
  }

  toggleTheme(): void {
    switchTheme();
    for (const panel of this.panels) panel.retheme();
  }

  turn(): void {
    this.activate(this.other(this.active));
    this.active.diagram.root.focus({ preventScroll: true });
  }

  private other(panel: Panel): Panel {
    return panel === this.panels[0] ? this.panels[1] : this.panels[0];
  }

  private go(side: number, step: number): void {
    this.activate(this.panels[side]);
    this.active.select({ what: 'step', index: step });
  }

  /** Keys and the toolbar act on this run from now on. */
  private activate(panel: Panel): void {
    this.active = panel;
    this.frame.leader = panel.diagram;
    for (const one of this.panels) {
      one.diagram.root.classList.toggle('is-active', one === panel);
      one.toolbar.root.hidden = one !== panel;
    }
  }

  private bind(panel: Panel): void {
    const activate = (): void => void (panel !== this.active && this.activate(panel));
    for (const part of [panel.diagram.root, panel.inspector.root, panel.minimap.root]) {
      part.addEventListener('pointerdown', activate, { capture: true });
      part.addEventListener('focusin', activate);
      part.addEventListener('wheel', activate, { capture: true, passive: true });
    }
    bindPointer(panel);
    panel.listen();
    panel.diagram.onMove(() => this.following(() => this.other(panel).diagram.match(panel.diagram)));
    panel.diagram.onPaint(() => this.keepAddress());
    panel.store.follow((now, before) => {
      this.following(() => this.follow(panel, now, before));
      this.keepAddress();
    });
  }

  /** Does this unless it is itself a consequence of such. */
  private following(act: () => void): void {
    if (this.isFollowing) return;
    this.isFollowing = true;
    act();
    this.isFollowing = false;
  }

  /** The other run follows what has changed in one. */
  private follow(from: Panel, now: View, before: View): void {
    const to = this.other(from);
    const { axis, folded, hiddenLanes, hiddenKinds, query, onlyMatches, onStory } = now;
    const change: Partial<View> = { axis, folded, hiddenLanes, hiddenKinds, query, onlyMatches, onStory, measured: null };
    if (now.isolated !== before.isolated) change.isolated = now.isolated === null ? null : this.counterpart(from, now.isolated);
    if (now.selected !== before.selected) change.selected = this.counterpartOf(from, now.selected);
    if (now.position !== before.position) change.position = this.counterpart(from, now.position) ?? stepAt(to.run, from.run.steps[now.position]?.at ?? 0);
    to.store.update(change);
    if (change.selected?.what === 'step') to.diagram.revealLane(change.selected.index);
  }

  /** The same step in the other run; of the first that differs, the first that differs there. */
  private counterpart(from: Panel, step: number): number | null {
    if (step < this.pair.agree) return step;
    const isFirst = from.run.difference?.first?.step === step;
    return isFirst ? (this.other(from).run.difference?.first?.step ?? null) : null;
  }

  private counterpartOf(from: Panel, selected: Selection | null): Selection | null {
    if (selected === null) return null;
    if (selected.what === 'step') {
      const index = this.counterpart(from, selected.index);
      return index === null ? null : { what: 'step', index };
    }
    // Messages are in the order of their sending, so that those of the common steps are the same.
    const { sent } = from.run.messages[selected.index];
    return sent != null && sent < this.pair.agree ? selected : null;
  }

  private get address(): string {
    const { store, diagram, run } = this.active;
    const side = this.active === this.panels[0] ? '' : '&run=B';
    return `${writeAddress(store.now, diagram.window, run)}${side}`;
  }

  private openAddress(): void {
    const side = new URLSearchParams(location.hash.slice(1)).get('run') === 'B' ? 1 : 0;
    this.activate(this.panels[side]);
    const { view, window } = readAddress(location.hash, this.active.run);
    this.active.goTo(view, window);
  }

  private keepAddress(): void {
    clearTimeout(this.addressTimer);
    this.addressTimer = window.setTimeout(() => {
      if (this.address !== location.hash) history.replaceState(null, '', this.address);
    }, 250);
  }
}

/** The last step of a run that is not later than this. */
function stepAt(run: Run, time: number): number {
  return Math.max(0, run.steps.findLastIndex((step) => step.at <= time));
}
