import { readAddress, writeAddress } from './address.ts';
import { Banner } from './banner.ts';
import { extent, past } from './causality.ts';
import type { Diagram } from './data.ts';
import { DiagramView } from './diagram.ts';
import { element } from './element.ts';
import { storySteps } from './emphasis.ts';
import { Header } from './header.ts';
import { Help } from './help.ts';
import { Inspector, measure } from './inspector.ts';
import { Minimap } from './minimap.ts';
import { bindKeys } from './keys.ts';
import { bindPointer } from './pointer.ts';
import { Run } from './run.ts';
import { messageSentence, spoken } from './sentence.ts';
import { StoryColumn } from './story.ts';
import { isDark, PRINT_THEME } from './theme.ts';
import { Toolbar } from './toolbar.ts';
import { Tooltip } from './tooltip.ts';
import { type Selection, type View, ViewStore } from './view.ts';

/** A long run without a story opens at its beginning, with this many steps. */
const FIRST_STEPS = 150;

/** The whole page, and what the reader does with it. */
export class App {
  readonly run: Run;
  readonly store: ViewStore;
  readonly diagram: DiagramView;
  readonly help = new Help();
  readonly header: Header;
  readonly story: StoryColumn;
  readonly toolbar: Toolbar;
  readonly tooltip: Tooltip;
  private readonly banner: Banner;
  private readonly minimap: Minimap;
  private readonly inspector: Inspector;
  private readonly live = element('p', { class: 'offscreen', 'aria-live': 'polite' });
  private readonly main: HTMLElement;
  private addressTimer = 0;

  constructor(data: Diagram, private readonly root: HTMLElement) {
    this.run = new Run(data);
    const { view } = readAddress(location.hash, this.run);
    this.store = new ViewStore({ ...this.initial(), ...view });
    this.diagram = new DiagramView(this.run, this.store);
    this.diagram.root.id = 'diagram';
    this.header = new Header(this.run, { help: () => this.help.toggle(), theme: () => this.toggleTheme() });
    this.story = new StoryColumn(this.run, (step) => this.select({ what: 'step', index: step }));
    this.toolbar = new Toolbar(this.run, this.store, {
      go: (step) => this.select({ what: 'step', index: step }, false),
      step: (direction) => this.movePosition(direction),
      toggleAxis: () => this.toggleAxis(),
    });
    this.tooltip = new Tooltip(this.run);
    this.banner = new Banner(this.run, { back: () => this.back(), violation: () => this.showViolation() });
    this.diagram.root.append(this.banner.root);
    this.minimap = new Minimap(this.diagram);
    this.inspector = new Inspector(this.run, {
      step: (index) => this.select({ what: 'step', index }),
      message: (index) => this.select({ what: 'message', index }),
    });
    const fold = element('button', { class: 'fold', type: 'button', 'aria-label': 'Hide or show the story', title: 'Hide or show the story (s)' }, ['‹']);
    fold.addEventListener('click', () => this.toggleStory());
    this.main = element('div', { class: 'main' }, [this.story.root, fold, this.diagram.root]);
    this.root.replaceChildren(this.header.root, this.main, element('div', { class: 'strip' }, [this.minimap.root, this.toolbar.root]), this.inspector.root, this.tooltip.root, this.live, this.help.root);
    this.store.follow((now, before) => this.viewChanged(now, before));
    this.diagram.onPaint(() => this.painted());
    this.listen();
    this.open();
  }

  /** Selects an event, and moves so that it can be seen. */
  select(selected: Selection | null, reveal = true): void {
    const step = selected && (selected.what === 'step' ? selected.index : (this.run.messages[selected.index].sent ?? null));
    this.store.update({ selected, measured: null, ...(step === null ? {} : { position: step }) });
    if (step !== null && (reveal || selected?.what === 'step')) this.diagram.reveal(step);
    if (selected) this.say(selected.what === 'step' ? spoken(this.run, selected.index) : messageSentence(this.run, selected.index));
  }

  /** Shows only what happened before a step. */
  isolate(step: number): void {
    this.store.update({ isolated: step, selected: { what: 'step', index: step }, position: step, measured: null });
    const count = past(this.run.steps, [step]).reduce((sum, one) => sum + one, 0);
    this.say(`Only the causal past of step ${this.run.steps[step].number}: ${count} steps.`);
  }

  measureTo(step: number): void {
    const { selected } = this.store.now;
    if (selected?.what !== 'step') return this.select({ what: 'step', index: step });
    this.store.update({ measured: step });
    this.say(measure(this.run, selected.index, step));
  }

  /** Moves the slider; nothing is selected then. */
  movePosition(direction: 1 | -1): void {
    const { shown } = this.diagram.scene;
    let position = this.store.now.position + direction;
    while (shown[position] === 0) position += direction;
    if (position < 0 || position >= this.run.steps.length) return;
    this.store.update({ position, selected: null, measured: null });
    this.diagram.reveal(position, false);
    this.say(spoken(this.run, position));
  }

  /** Takes back one thing after the other, and in the end shows the whole run. */
  back(): void {
    const view = this.store.now;
    if (this.toolbar.closeMenu()) return;
    if (view.measured !== null) this.store.update({ measured: null });
    else if (view.selected) this.store.update({ selected: null });
    else if (view.query !== '') this.store.update({ query: '', onlyMatches: false });
    else {
      const wasIsolated = view.isolated !== null;
      this.store.update({ isolated: null, onStory: false });
      if (!wasIsolated) this.diagram.showWhole();
    }
  }

  /** Makes the past of the violation stand out, and moves there. */
  showViolation(): void {
    const story = extent(storySteps(this.run));
    if (this.run.roots.size === 0 || !story) return;
    this.store.update({ onStory: true, isolated: null, selected: null, measured: null, query: '' });
    this.openOn(story, true);
  }

  toggleAxis(): void {
    this.store.update({ axis: this.store.now.axis === 'step' ? 'time' : 'step' });
    this.say(`By ${this.store.now.axis}.`);
  }

  toggleStory(): void {
    this.main.classList.toggle('without-story');
    this.diagram.resize();
  }

  toggleTheme(): void {
    document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
    this.retheme();
  }

  say(text: string): void {
    this.live.textContent = text;
  }

  private initial(): View {
    return {
      selected: null, measured: null, position: Math.max(0, this.run.steps.length - 1), isolated: null, axis: 'step', folded: false,
      hiddenLanes: new Set(), hiddenKinds: new Set(), query: '', onlyMatches: false, onStory: this.run.roots.size > 0,
    };
  }

  private listen(): void {
    bindKeys(this);
    bindPointer(this);
    let width = 0;
    new ResizeObserver(() => {
      this.diagram.resize();
      if (this.root.clientWidth !== width) this.minimap.resize();
      width = this.root.clientWidth;
    }).observe(this.diagram.root);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.retheme());
    addEventListener('beforeprint', () => this.diagram.retheme(PRINT_THEME));
    addEventListener('afterprint', () => this.retheme());
    addEventListener('hashchange', () => this.openAddress());
  }

  /** Opens where the address says; else on the violation; else on the run, or its beginning. */
  private open(): void {
    this.diagram.resize();
    this.minimap.resize();
    this.inspector.follow(this.store.now);
    this.story.follow(this.store.now);
    this.banner.follow(this.store.now);
    const { window, view } = readAddress(location.hash, this.run);
    const story = extent(storySteps(this.run));
    if (window) this.diagram.show(window[0], window[1], false);
    else if (view.selected?.what === 'step') this.diagram.fit(view.selected.index - 5, view.selected.index + 5, false);
    else if (this.run.roots.size > 0 && story) this.openOn(story);
    else if (this.run.steps.length > FIRST_STEPS * 4) this.diagram.fit(0, FIRST_STEPS, false);
    else this.diagram.showWhole(false);
  }

  /** Shows the steps of the story; of a long one, its end. */
  private openOn([first, last]: [number, number], animated = false): void {
    const set = storySteps(this.run);
    const near = Math.max(first, last - FIRST_STEPS * 2);
    const start = set.indexOf(1, near);
    this.diagram.fit(last - first > FIRST_STEPS * 4 ? start : first, last, animated);
    this.diagram.revealLane(Math.max(...this.run.roots));
  }

  private openAddress(): void {
    if (location.hash === writeAddress(this.store.now, this.diagram.window, this.run)) return;
    const { view, window } = readAddress(location.hash, this.run);
    this.store.update({ ...this.initial(), ...view });
    if (window) this.diagram.show(window[0], window[1], false);
    else if (view.selected?.what === 'step') this.diagram.reveal(view.selected.index, false);
  }

  private retheme(): void {
    this.diagram.retheme();
    this.minimap.paint();
    this.toolbar.recolour();
  }

  private viewChanged(view: View, before: View): void {
    this.toolbar.follow(view);
    this.story.follow(view);
    this.banner.follow(view);
    const moved = view.selected !== before.selected || view.position !== before.position || view.measured !== before.measured;
    if (moved) this.inspector.follow(view);
    this.minimap.paint();
    this.keepAddress();
  }

  private painted(): void {
    this.minimap.place();
    this.keepAddress();
  }

  private keepAddress(): void {
    clearTimeout(this.addressTimer);
    this.addressTimer = window.setTimeout(() => {
      const address = writeAddress(this.store.now, this.diagram.window, this.run);
      if (address !== location.hash) history.replaceState(null, '', address);
    }, 250);
  }
}
