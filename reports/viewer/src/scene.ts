import type { Arrow, Segment } from './arrows.ts';
import type { Axis } from './axis.ts';
import type { StepSet } from './causality.ts';
import { lineOf, type Rows } from './rows.ts';
import type { Run } from './run.ts';
import type { Theme } from './theme.ts';
import type { View } from './view.ts';

/** The part of the axis on the screen: a unit `u` lies at `scale * u + shift`. */
export interface Camera {
  scale: number;
  shift: number;
  /** The left edge: names stand before it. */
  left: number;
  width: number;
  height: number;
  /** How far the lanes are scrolled up. */
  scroll: number;
}

/** All that is drawn, and how. */
export interface Scene {
  run: Run;
  view: View;
  axis: Axis;
  rows: Rows;
  arrows: readonly Arrow[];
  /** The places of the arrows' ends, in units and pixels: four numbers each. */
  places: Float64Array;
  shown: StepSet;
  camera: Camera;
  theme: Theme;
  emphasis: StepSet | null;
  /** Whether each arrow stands out. */
  strong: Uint8Array;
  hovered: { what: 'step' | 'message'; index: number } | null;
}

/** The opacity of what does not stand out. */
export const DIMMED = 0.25;
/** With more events than this on the screen, arrows thin out to density. */
export const CROWD = 2000;

export function screenX({ camera }: Scene, units: number): number {
  return camera.scale * units + camera.shift;
}

export function stepX(scene: Scene, step: number): number {
  return screenX(scene, scene.axis.at[step]);
}

export function stepY(scene: Scene, step: number): number {
  return lineOf(scene.rows, scene.run.steps[step].lane) - scene.camera.scroll;
}

/** The places of the ends of the arrow with this index, on the screen. */
export function onScreen({ places, camera }: Scene, arrow: number): Segment {
  const { scale, shift, scroll } = camera;
  const at = arrow * 4;
  return { x0: scale * places[at] + shift, y0: places[at + 1] - scroll, x1: scale * places[at + 2] + shift, y1: places[at + 3] - scroll };
}

/** The steps on the screen, from the first to behind the last. */
export function visibleSteps({ axis, camera }: Scene): [number, number] {
  const from = (camera.left - 20 - camera.shift) / camera.scale;
  const until = (camera.width + 20 - camera.shift) / camera.scale;
  return [axis.firstFrom(from), axis.firstFrom(until)];
}

export function standsOut(scene: Scene, step: number): boolean {
  return scene.emphasis === null || scene.emphasis[step] === 1;
}
