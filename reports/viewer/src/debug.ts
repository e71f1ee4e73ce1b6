import type { Panel } from './panel.ts';
import type { Selection, View } from './view.ts';

/** What tests may look at and touch. */
export interface Debug {
  /** The number of messages that have an arrow, and of steps that are shown. */
  counts: () => { arrows: number; bridges: number; steps: number; emphasised: number };
  view: () => View;
  window: () => [number, number];
  /** Where a step is on the page. */
  place: (step: number) => { x: number; y: number };
  select: (selected: Selection | null) => void;
  show: (from: number, until: number) => void;
  /** The time that the last drawing took, in milliseconds, and the number of drawings. */
  paint: () => { last: number; count: number };
  /** The same for each run of a page of several. */
  panels: Debug[];
  /** The time from the page's beginning until the first drawing, in milliseconds. */
  opened: number;
}

declare global {
  interface Window {
    ftsimViewer?: Debug;
  }
}

/** Of a page of two runs, the first is meant. */
export function debugOf([panel, ...others]: readonly Panel[]): Debug {
  const debug: Debug = {
    counts: () => {
      const { arrows, shown, emphasis } = panel.diagram.scene;
      const own = arrows.filter((arrow) => arrow.end !== 'bridge');
      return {
        arrows: new Set(own.map((arrow) => arrow.message)).size,
        bridges: arrows.length - own.length,
        steps: shown.reduce((sum, one) => sum + one, 0),
        emphasised: emphasis?.reduce((sum, one) => sum + one, 0) ?? 0,
      };
    },
    view: () => panel.store.now,
    window: () => panel.diagram.window,
    place: (step) => {
      const { axis, camera, rows, run } = panel.diagram.scene;
      const { left, top } = panel.diagram.canvas.getBoundingClientRect();
      const { lane } = run.steps[step];
      const y = lane == null ? (rows.network ?? NaN) : rows.y[lane];
      return { x: left + camera.scale * axis.at[step] + camera.shift, y: top + y - camera.scroll };
    },
    select: (selected) => panel.select(selected),
    show: (from, until) => panel.diagram.show(from, until, false),
    paint: () => ({ last: panel.diagram.lastPaint, count: panel.diagram.paintCount }),
    panels: [],
    opened: performance.now(),
  };
  debug.panels = [debug, ...others.map((other) => debugOf([other]))];
  return debug;
}
