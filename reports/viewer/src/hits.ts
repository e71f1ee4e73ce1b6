import Flatbush from 'flatbush';
import { distance } from './arrows.ts';
import { onScreen, type Scene, stepX, stepY } from './scene.ts';
import type { Selection } from './view.ts';

/** How near the pointer must be, in pixels. */
const STEP_REACH = 11;
const ARROW_REACH = 6;

/** Finds what is under the pointer. It holds for one layout of the diagram. */
export class Hits {
  private readonly tree: Flatbush;
  private readonly steps: number[] = [];

  /** Boxes are in units and pixels, so that zooming does not change them. */
  constructor(scene: Scene) {
    const { axis, arrows, places, shown } = scene;
    shown.forEach((one, step) => one && this.steps.push(step));
    this.tree = new Flatbush(Math.max(1, this.steps.length + arrows.length));
    for (const step of this.steps) {
      const y = stepY(scene, step) + scene.camera.scroll;
      this.tree.add(axis.at[step], y, axis.at[step], y);
    }
    for (let index = 0; index < arrows.length; index++) {
      const [x0, y0, x1, y1] = places.subarray(index * 4, index * 4 + 4);
      this.tree.add(Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1));
    }
    if (this.steps.length + arrows.length === 0) this.tree.add(NaN, NaN, NaN, NaN);
    this.tree.finish();
  }

  /** The nearest step, or else the nearest message, at this point of the screen. */
  at(scene: Scene, x: number, y: number): Selection | null {
    const { camera } = scene;
    const units = (x - camera.shift) / camera.scale;
    const reach = STEP_REACH / camera.scale;
    const below = y + camera.scroll;
    const near = this.tree.search(units - reach, below - STEP_REACH, units + reach, below + STEP_REACH);
    let best: Selection | null = null;
    let least = Infinity;
    for (const item of near) {
      const step = this.steps[item];
      if (step !== undefined) {
        // A step lies on top of the arrows that end in it.
        const away = Math.hypot(stepX(scene, step) - x, stepY(scene, step) - y) - STEP_REACH;
        if (away <= 0 && away < least) [best, least] = [{ what: 'step', index: step }, away];
        continue;
      }
      const index = item - this.steps.length;
      const arrow = scene.arrows[index];
      if (!arrow) continue;
      const away = distance(x, y, onScreen(scene, index));
      if (away <= ARROW_REACH && away < least) [best, least] = [{ what: 'message', index: arrow.message }, away];
    }
    return best;
  }
}
