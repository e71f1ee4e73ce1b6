import { element } from './element.ts';
import type { DiagramView } from './diagram.ts';
import { themeNow } from './theme.ts';

const HEIGHT_MAX = 46;
const GRIP = 7;

/** The whole run in a strip: the density of its steps, faults, the violation, and the window. */
export class Minimap {
  readonly root: HTMLElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly window: HTMLElement;
  private width = 0;
  private height = HEIGHT_MAX;
  private painted: number | null = null;

  constructor(private readonly diagram: DiagramView, name = '') {
    this.canvas = element('canvas', {});
    this.window = element('div', { class: 'window', tabindex: '0', role: 'scrollbar', 'aria-label': name ? `Part of run ${name} that is shown` : 'Part of the run that is shown', 'aria-orientation': 'horizontal', 'aria-valuemin': '0', 'aria-valuemax': '100', 'aria-controls': diagram.root.id });
    this.root = element('div', { class: 'minimap' }, [this.canvas, this.window]);
    this.root.addEventListener('pointerdown', (event) => this.drag(event));
    this.window.addEventListener('keydown', (event) => this.key(event));
  }

  resize(): void {
    this.width = this.root.clientWidth;
    this.height = Math.min(HEIGHT_MAX, this.root.clientHeight);
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.max(1, Math.round(this.width * ratio));
    this.canvas.height = Math.round(this.height * ratio);
    this.paint();
    this.place();
  }

  /** Draws the run; the window is an element of its own. */
  paint(): void {
    const context = this.canvas.getContext('2d');
    if (!context || this.width === 0) return;
    this.painted = this.diagram.blendNow;
    const { run, axis, shown, emphasis } = this.diagram.scene;
    const theme = themeNow();
    const ratio = this.canvas.width / this.width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    const x = (units: number): number => (units / this.whole) * this.width;
    for (const band of run.bands) {
      if (band.what === 'absent') continue;
      const [from, until] = [x(axis.at[band.from]), x(band.until == null ? axis.end : axis.at[band.until])];
      if (band.what !== 'condition') {
        // A thin line for each lane, in their order.
        context.fillStyle = theme.line;
        for (const lane of band.lanes) context.fillRect(from, 2 + (lane / run.laneCount) * 14, Math.max(1, until - from), 1.5);
        continue;
      }
      context.fillStyle = theme.amber;
      context.fillRect(from, 0, Math.max(1, until - from), this.height);
      context.fillStyle = theme.hatch;
      context.fillRect(from, 0, Math.max(1, until - from), 3);
    }
    const columns = Math.ceil(this.width / 2);
    const [all, strong] = [new Uint32Array(columns + 1), new Uint32Array(columns + 1)];
    shown.forEach((one, step) => {
      if (!one) return;
      const column = Math.max(0, Math.min(columns, Math.floor(x(axis.at[step]) / 2)));
      const weight = run.steps[step].parts.length;
      all[column] += weight;
      if (emphasis?.[step]) strong[column] += weight;
    });
    const most = all.reduce((max, count) => Math.max(max, count), 1);
    const height = (count: number): number => (count === 0 ? 0 : 3 + Math.sqrt(count / most) * (this.height - Math.min(22, this.height / 2.2)));
    for (const [counts, colour] of [[all, emphasis ? theme.line : theme.soft], [strong, theme.ink]] as const) {
      context.fillStyle = colour;
      counts.forEach((count, column) => context.fillRect(column * 2, this.height - height(count), 1.5, height(count)));
    }
    if (run.difference) {
      context.fillStyle = theme.ink;
      context.fillRect(x(axis.at[run.difference.agree] ?? axis.end) - 0.75, 0, 1.5, this.height);
    }
    context.fillStyle = theme.red;
    for (const step of new Set([...run.violations, ...run.roots])) context.fillRect(x(axis.at[step]) - 0.75, 0, 1.5, this.height);
  }

  /** Puts the window where the diagram looks. */
  place(): void {
    // While the axis turns, the density turns with it.
    if (this.painted !== this.diagram.blendNow) this.paint();
    const [from, until] = this.diagram.window;
    const left = Math.max(0, (from / this.whole) * this.width);
    const right = Math.min(this.width, (until / this.whole) * this.width);
    this.window.style.transform = `translateX(${left}px)`;
    this.window.style.width = `${Math.max(8, right - left)}px`;
    this.window.setAttribute('aria-valuenow', String(Math.round((100 * Math.max(0, from)) / this.whole)));
    this.root.classList.toggle('is-whole', right - left > this.width - 2);
  }

  private get whole(): number {
    return this.diagram.whole[1];
  }

  private drag(down: PointerEvent): void {
    if (down.button !== 0) return;
    const { left: edge } = this.root.getBoundingClientRect();
    const units = (event: PointerEvent): number => ((event.clientX - edge) / this.width) * this.whole;
    let [from, until] = this.diagram.window;
    const [a, b] = [(from / this.whole) * this.width, (until / this.whole) * this.width];
    const x = down.clientX - edge;
    const grip = Math.abs(x - a) < GRIP ? 'from' : Math.abs(x - b) < GRIP ? 'until' : 'all';
    if (grip === 'all' && (x < a || x > b)) {
      const half = (until - from) / 2;
      [from, until] = [units(down) - half, units(down) + half];
      this.diagram.show(from, until, false);
    }
    const start = units(down);
    this.root.setPointerCapture(down.pointerId);
    const move = (event: PointerEvent): void => {
      const moved = units(event) - start;
      if (grip === 'from') this.diagram.show(Math.min(from + moved, until - 0.5), until, false);
      else if (grip === 'until') this.diagram.show(from, Math.max(until + moved, from + 0.5), false);
      else this.diagram.show(from + moved, until + moved, false);
    };
    const up = (): void => {
      this.root.removeEventListener('pointermove', move);
      this.root.removeEventListener('pointerup', up);
    };
    this.root.addEventListener('pointermove', move);
    this.root.addEventListener('pointerup', up);
  }

  private key(event: KeyboardEvent): void {
    const direction = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    if (direction === 0) return;
    const [from, until] = this.diagram.window;
    const moved = direction * (until - from) * 0.2;
    this.diagram.show(from + moved, until + moved, false);
    event.preventDefault();
    event.stopPropagation();
  }
}
