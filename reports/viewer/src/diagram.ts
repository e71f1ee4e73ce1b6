import { select } from 'd3-selection';
import { zoom, zoomIdentity, type D3ZoomEvent, type ZoomBehavior, type ZoomTransform } from 'd3-zoom';
import { arrowsOf, places, type Arrow } from './arrows.ts';
import { Axis } from './axis.ts';
import { element } from './element.ts';
import { emphasised, messageStandsOut } from './emphasis.ts';
import type { Frame } from './frame.ts';
import { Hits } from './hits.ts';
import { paint } from './paint.ts';
import { stack, type Rows } from './rows.ts';
import type { Run } from './run.ts';
import type { Scene } from './scene.ts';
import { shownSteps } from './shown.ts';
import { calmMotion, themeNow, type Theme } from './theme.ts';
import { changesLayout, type Selection, type View, type ViewStore } from './view.ts';

const GUTTER = 92;
const RIGHT_ROOM = 70;
/** The free room below the lanes, for the banner. */
const BOTTOM_ROOM = 34;
const DURATION = 450;
/** The widest that two neighbouring steps may be apart, in pixels. */
const UNIT_MAX = 220;

/** The diagram on its canvas, and the part of it that is seen. */
export class DiagramView {
  readonly root: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly spacer: HTMLElement;
  readonly scroller: HTMLElement;
  hovered: Selection | null = null;
  /** The time that the last drawing took, in milliseconds. */
  lastPaint = 0;
  paintCount = 0;
  private readonly context: CanvasRenderingContext2D;
  private readonly zooming: ZoomBehavior<HTMLCanvasElement, unknown>;
  private transform: ZoomTransform = zoomIdentity;
  private axis!: Axis;
  private rows!: Rows;
  private arrows!: Arrow[];
  private places: Float64Array | null = null;
  private shown!: Uint8Array;
  private emphasis: Uint8Array | null = null;
  private strong: Uint8Array | null = null;
  private hits: Hits | null = null;
  private width = 300;
  private height = 200;
  private frame = 0;
  private animation = 0;
  private blend: number;
  private theme: Theme = themeNow();
  private readonly painted: (() => void)[] = [];
  private readonly moved: (() => void)[] = [];

  /** Diagrams with one frame share their axis. */
  constructor(private readonly run: Run, private readonly store: ViewStore, private readonly shared: Frame<DiagramView> | null = null) {
    this.canvas = element('canvas', { class: 'canvas' });
    this.spacer = element('div', { class: 'spacer' });
    this.scroller = element('div', { class: 'scroller' }, [this.canvas, this.spacer]);
    const name = run.difference ? ` of run ${run.difference.name}` : '';
    this.root = element('div', {
      id: `diagram${run.difference?.name ?? ''}`, class: 'diagram', tabindex: '0', role: 'application',
      'aria-label': `Space-time diagram${name}. Left and right arrow keys step along a process, up and down along a message; question mark shows all keys.`,
    }, [this.scroller]);
    const context = this.canvas.getContext('2d', { alpha: false });
    if (!context) throw new Error('This browser cannot draw.');
    this.context = context;
    this.blend = store.now.axis === 'time' ? 1 : 0;
    this.zooming = zoom<HTMLCanvasElement, unknown>()
      .filter((event: MouseEvent) => !event.button && event.type !== 'dblclick')
      .on('zoom', (event: D3ZoomEvent<HTMLCanvasElement, unknown>) => this.zoomed(event));
    select(this.canvas).call(this.zooming).on('dblclick.zoom', null);
    this.canvas.addEventListener('wheel', (event) => this.panSideways(event), { capture: true, passive: false });
    this.scroller.addEventListener('scroll', () => this.redraw());
    store.follow((view, before) => this.viewChanged(view, before));
    this.layOut();
  }

  /** Calls back after each drawing. */
  onPaint(callback: () => void): void {
    this.painted.push(callback);
  }

  /** Calls back whenever another part of the axis is seen. */
  onMove(callback: () => void): void {
    this.moved.push(callback);
  }

  /** Shows the same part of the axis as another diagram of the same size. */
  match(other: DiagramView): void {
    const { k, x } = other.transform;
    if (k !== this.transform.k || x !== this.transform.x) this.apply(other.transform);
  }

  /** Lays the axis out anew, after another diagram has changed what it must hold. */
  relay(): void {
    const steps = this.stepsSeen();
    this.layAxis();
    this.limitZoom();
    if (this.leads) this.showSteps(...steps);
    this.redraw();
  }

  get scene(): Scene {
    const { run, axis, rows, arrows, shown, theme, emphasis, hovered } = this;
    this.places ??= places(run, axis, rows, arrows);
    const { selected } = this.store.now;
    this.strong ??= Uint8Array.from(arrows, (arrow) => Number(messageStandsOut(run, arrow.message, emphasis, selected)));
    return { run, places: this.places, strong: this.strong, view: this.store.now, axis, rows, arrows, shown, theme, emphasis, hovered, camera: this.camera };
  }

  resize(): void {
    const { clientWidth, clientHeight } = this.scroller;
    if (clientWidth === 0 || clientHeight === 0) return;
    const window = this.window;
    [this.width, this.height] = [clientWidth, clientHeight];
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.canvas.style.width = `${clientWidth}px`;
    this.canvas.style.height = `${clientHeight}px`;
    this.stackRows();
    this.limitZoom();
    this.show(window[0], window[1], false);
    this.paintNow();
  }

  /** The part of the axis that is seen, in units. */
  get window(): [number, number] {
    const { scale, shift, left } = this.camera;
    return [(left - shift) / scale, (this.width - shift) / scale];
  }

  /** How far the axis is turned: from 0 (by step) to 1 (by time). */
  get blendNow(): number {
    return this.blend;
  }

  /** The whole axis, with the room for the words of the last step. */
  get whole(): [number, number] {
    return [0, this.axis.length * ((this.width - GUTTER) / Math.max(1, this.width - GUTTER - RIGHT_ROOM))];
  }

  /** Shows this part of the axis. */
  show(from: number, until: number, animated = true): void {
    const target = this.transformFor(from, until);
    cancelAnimationFrame(this.animation);
    if (!animated || calmMotion() || !this.root.isConnected) return this.apply(target);
    const [a, b] = this.window;
    this.animate((t) => this.apply(this.transformFor(a + (from - a) * t, b + (until - b) * t)));
  }

  /** Moves as little as needed for a step to be seen. */
  reveal(step: number, animated = true): void {
    const [from, until] = this.window;
    const room = (until - from) * 0.12;
    const at = this.axis.at[step];
    if (at < from + room || at > until - room) {
      const half = (until - from) / 2;
      this.show(at - half, at + half, animated);
    }
    this.revealLane(step);
  }

  /** Scrolls so that the lane of a step can be seen. */
  revealLane(step: number): void {
    const { lane } = this.run.steps[step];
    const y = lane == null ? 0 : this.rows.y[lane];
    if (y < this.scroller.scrollTop + 50 || y > this.scroller.scrollTop + this.height - 30) {
      this.scroller.scrollTop = y - this.height / 2;
    }
  }

  /** Shows these steps and all between them. */
  fit(first: number, last: number, animated = true): void {
    const [a, b] = this.axis.around(first, last);
    const unitsMin = (this.width - GUTTER) / UNIT_MAX;
    const wider = Math.max(0, unitsMin - (b - a)) / 2;
    this.show(a - wider, b + wider + (b - a) * 0.06, animated);
  }

  showWhole(animated = true): void {
    const [from, until] = this.whole;
    this.show(from, until, animated);
  }

  zoomBy(factor: number): void {
    const [a, b] = this.window;
    const [middle, half] = [(a + b) / 2, (b - a) / 2 / factor];
    this.show(middle - half, middle + half);
  }

  hit(x: number, y: number): Selection | null {
    if (x < GUTTER || this.blend % 1 !== 0) return null;
    const { scene } = this;
    this.hits ??= new Hits(scene);
    return this.hits.at(scene, x, y);
  }

  hover(hovered: Selection | null): void {
    const same = hovered?.what === this.hovered?.what && hovered?.index === this.hovered?.index;
    this.hovered = hovered;
    if (!same) this.redraw();
  }

  retheme(theme: Theme = themeNow()): void {
    this.theme = theme;
    this.paintNow();
  }

  redraw(): void {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => this.paintNow());
  }

  paintNow(): void {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const start = performance.now();
    const ratio = this.canvas.width / this.width;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint(this.context, this.scene);
    this.lastPaint = performance.now() - start;
    this.paintCount++;
    for (const callback of this.painted) callback();
  }

  private get camera() {
    const world = (this.width - GUTTER - RIGHT_ROOM) / this.axis.length;
    const { k, x } = this.transform;
    return { scale: k * world, shift: k * GUTTER + x, left: GUTTER, width: this.width, height: this.height, scroll: this.scroller.scrollTop };
  }

  private transformFor(from: number, until: number): ZoomTransform {
    const world = (this.width - GUTTER - RIGHT_ROOM) / this.axis.length;
    const [low, high] = this.zooming.scaleExtent();
    const wanted = (this.width - GUTTER) / Math.max(1e-9, until - from) / world;
    const k = Math.min(high, Math.max(low, wanted));
    const middle = (from + until) / 2;
    const x = GUTTER + (this.width - GUTTER) / 2 - k * (GUTTER + middle * world);
    return this.zooming.constrain()(zoomIdentity.translate(x, 0).scale(k), [[GUTTER, 0], [this.width, this.height]], [[GUTTER, 0], [this.width, this.height]]);
  }

  private apply(transform: ZoomTransform): void {
    select(this.canvas).call(this.zooming.transform, transform);
  }

  private zoomed(event: D3ZoomEvent<HTMLCanvasElement, unknown>): void {
    this.transform = event.transform;
    const source: unknown = event.sourceEvent;
    if (source instanceof MouseEvent && source.type === 'mousemove') this.scroller.scrollTop -= source.movementY;
    if (source) cancelAnimationFrame(this.animation);
    this.redraw();
    for (const callback of this.moved) callback();
  }

  /** A wheel that turns sideways, or with shift, pans. */
  private panSideways(event: WheelEvent): void {
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (event.ctrlKey || (!event.shiftKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    select(this.canvas).call(this.zooming.translateBy, -sideways / this.transform.k, 0);
  }

  private limitZoom(): void {
    const inner = Math.max(50, this.width - GUTTER);
    const world = inner / this.axis.length;
    const most = this.store.now.axis === 'time' ? 1e7 : Math.max(1.5, UNIT_MAX / world);
    this.zooming
      .extent([[GUTTER, 0], [this.width, this.height]])
      .translateExtent([[GUTTER, 0], [this.width, this.height]])
      .scaleExtent([1, most]);
  }

  /** Whether it decides which part of the axis is seen. */
  private get leads(): boolean {
    return this.shared === null || this.shared.leader === this;
  }

  private layAxis(): void {
    this.axis = new Axis(this.run.steps, this.shown, this.blend, (own) => this.shared?.join(this, own) ?? own);
    this.hits = this.places = null;
  }

  private layOut(): void {
    const view = this.store.now;
    this.shown = shownSteps(this.run, view);
    this.layAxis();
    this.arrows = arrowsOf(this.run, this.shown, view.hiddenLanes, view.hiddenKinds);
    this.emphasis = emphasised(this.run, view);
    this.strong = null;
    this.stackRows();
    this.limitZoom();
  }

  private stackRows(): void {
    const hasNetwork = this.run.steps.some((step) => step.lane == null) || this.run.bands.some((band) => band.what === 'condition');
    this.rows = stack(this.run.diagram.lanes, this.store.now.hiddenLanes, hasNetwork, this.height - BOTTOM_ROOM);
    this.spacer.style.height = `${Math.max(0, this.rows.height + BOTTOM_ROOM - this.height)}px`;
    this.hits = this.places = null;
  }

  private viewChanged(view: View, before: View): void {
    if (changesLayout(view, before)) {
      const steps = this.stepsSeen();
      this.layOut();
      const isEdge = view.isolated !== before.isolated;
      if (this.leads && isEdge) this.showWhole();
      else if (this.leads) this.showSteps(...steps);
    } else {
      this.emphasis = emphasised(this.run, view);
    }
    this.strong = null;
    if (view.axis !== before.axis) this.turnAxis(view.axis === 'time' ? 1 : 0);
    this.redraw();
  }

  private stepsSeen(): [number, number] {
    const [from, until] = this.window;
    return [this.axis.firstFrom(from), Math.min(this.run.steps.length, this.axis.firstFrom(until)) - 1];
  }

  private showSteps(first: number, last: number): void {
    if (first <= 0 && last >= this.run.steps.length - 1) this.showWhole(false);
    else this.show(...this.axis.around(first, last), false);
  }

  /** Changes the axis; the steps that were seen stay in sight. */
  private turnAxis(target: number): void {
    const [first, last] = this.stepsSeen();
    const isWhole = first <= 0 && last >= this.run.steps.length - 1;
    const window = this.window;
    const start = this.blend;
    this.limitZoom();
    this.axis.blend(target);
    const goal = isWhole ? this.whole : this.axis.around(Math.max(0, first), Math.max(0, last));
    const turn = (t: number): void => {
      this.blend = start + (target - start) * t;
      this.axis.blend(this.blend);
      this.places = null;
      if (!this.leads) return this.redraw();
      this.apply(this.transformFor(window[0] + (goal[0] - window[0]) * t, window[1] + (goal[1] - window[1]) * t));
    };
    this.hits = null;
    if (calmMotion()) turn(1);
    else this.animate(turn);
  }

  private animate(frame: (t: number) => void): void {
    cancelAnimationFrame(this.animation);
    const start = performance.now();
    const tick = (): void => {
      const t = Math.min(1, (performance.now() - start) / DURATION);
      frame(t < 0.5 ? 2 * t * t : 1 - (2 - 2 * t) ** 2 / 2);
      if (t < 1) this.animation = requestAnimationFrame(tick);
    };
    tick();
  }
}
