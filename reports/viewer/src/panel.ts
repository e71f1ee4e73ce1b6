import { Banner } from './banner.ts';
import { extent, past } from './causality.ts';
import { DiagramView } from './diagram.ts';
import { storySteps } from './emphasis.ts';
import type { Frame } from './frame.ts';
import { Inspector, measure } from './inspector.ts';
import { Minimap } from './minimap.ts';
import type { Run } from './run.ts';
import { messageSentence, spoken } from './sentence.ts';
import { PRINT_THEME } from './theme.ts';
import { Toolbar } from './toolbar.ts';
import { Tooltip } from './tooltip.ts';
import { type Selection, type View, ViewStore } from './view.ts';

/** A long run without a story opens at its beginning, with this many steps. */
const FIRST_STEPS = 150;
/** Two runs open on this many steps before and after the first that differs. */
const BEFORE_STEPS = 9;
const AFTER_STEPS = 20;

/** One run on the page: what is seen of it, its diagram, and all that follows the diagram. */
export class Panel {
  readonly store: ViewStore;
  readonly diagram: DiagramView;
  readonly toolbar: Toolbar;
  readonly inspector: Inspector;
  readonly minimap: Minimap;
  readonly tooltip: Tooltip;
  private readonly banner: Banner;

  /** `say` tells a screen reader what has happened. */
  constructor(readonly run: Run, private readonly say: (text: string) => void, view: Partial<View> = {}, frame: Frame<DiagramView> | null = null) {
    this.store = new ViewStore({ ...this.initial(), ...view });
    this.diagram = new DiagramView(run, this.store, frame);
    this.toolbar = new Toolbar(run, this.store, {
      go: (step) => this.select({ what: 'step', index: step }, false),
      step: (direction) => this.movePosition(direction),
      toggleAxis: () => this.toggleAxis(),
    });
    this.tooltip = new Tooltip(run);
    this.banner = new Banner(run, { back: () => this.back(), point: () => this.showPoint() });
    this.diagram.root.append(this.banner.root);
    this.minimap = new Minimap(this.diagram, run.difference?.name);
    this.inspector = new Inspector(run, {
      step: (index) => this.select({ what: 'step', index }),
      message: (index) => this.select({ what: 'message', index }),
    });
    this.store.follow((now, before) => this.viewChanged(now, before));
    this.diagram.onPaint(() => this.minimap.place());
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

  /** Makes what the page is about stand out, and moves there: the violation, or where two runs part. */
  showPoint(): void {
    if (!this.run.hasPoint) return;
    this.store.update({ onStory: true, isolated: null, selected: null, measured: null, query: '' });
    this.moveToPoint(true);
  }

  toggleAxis(): void {
    this.store.update({ axis: this.store.now.axis === 'step' ? 'time' : 'step' });
    this.say(`By ${this.store.now.axis}.`);
  }

  toggleFold(): void {
    this.store.update({ folded: !this.store.now.folded });
  }

  /** Opens on this part of the axis; else on the selected step, on the violation, or on the run or its beginning. */
  open(window: readonly [number, number] | null): void {
    this.diagram.resize();
    this.minimap.resize();
    this.inspector.follow(this.store.now);
    this.banner.follow(this.store.now);
    const { selected } = this.store.now;
    if (window) this.diagram.show(window[0], window[1], false);
    else if (selected?.what === 'step') this.diagram.fit(selected.index - 5, selected.index + 5, false);
    else if (this.run.hasPoint) this.moveToPoint(false);
    else if (this.run.steps.length > FIRST_STEPS * 4) this.diagram.fit(0, FIRST_STEPS, false);
    else this.diagram.showWhole(false);
  }

  /** Changes to another view, and to a part of the axis. */
  goTo(view: Partial<View>, window: readonly [number, number] | null): void {
    this.store.update({ ...this.initial(), ...view });
    if (window) this.diagram.show(window[0], window[1], false);
    else if (view.selected?.what === 'step') this.diagram.reveal(view.selected.index, false);
  }

  retheme(): void {
    this.diagram.retheme();
    this.minimap.paint();
    this.toolbar.recolour();
  }

  /** Follows the size of the page, its printing, and the system's colours. */
  listen(): void {
    let width = 0;
    new ResizeObserver(() => {
      this.diagram.resize();
      if (this.minimap.root.clientWidth !== width) this.minimap.resize();
      width = this.minimap.root.clientWidth;
    }).observe(this.diagram.root);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.retheme());
    addEventListener('beforeprint', () => this.diagram.retheme(PRINT_THEME));
    addEventListener('afterprint', () => this.retheme());
  }

  private initial(): View {
    const end = Math.max(0, this.run.steps.length - 1);
    return {
      selected: null, measured: null, position: this.run.difference?.first?.step ?? end, isolated: null, axis: 'step', folded: false,
      hiddenLanes: new Set(), hiddenKinds: new Set(), query: '', onlyMatches: false, onStory: this.run.hasPoint,
    };
  }

  private moveToPoint(animated: boolean): void {
    const { difference } = this.run;
    const story = difference ? null : extent(storySteps(this.run));
    if (difference) {
      const { axis } = this.diagram.scene;
      const at = axis.at[difference.agree] ?? axis.end;
      this.diagram.show(at - BEFORE_STEPS, at + AFTER_STEPS, animated);
    } else if (story) this.showStory(story, animated);
  }

  /** Shows the steps of the story; of a long one, its end. */
  private showStory([first, last]: [number, number], animated: boolean): void {
    const set = storySteps(this.run);
    const near = Math.max(first, last - FIRST_STEPS * 2);
    const start = set.indexOf(1, near);
    this.diagram.fit(last - first > FIRST_STEPS * 4 ? start : first, last, animated);
    this.diagram.revealLane(Math.max(...this.run.roots));
  }

  private viewChanged(view: View, before: View): void {
    this.toolbar.follow(view);
    this.banner.follow(view);
    const moved = view.selected !== before.selected || view.position !== before.position || view.measured !== before.measured;
    if (moved) this.inspector.follow(view);
    this.minimap.paint();
  }
}
