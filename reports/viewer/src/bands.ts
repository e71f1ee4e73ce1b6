import type { Band } from './data.ts';
import { WORDS, type Labels, write } from './labels.ts';
import { RANK } from './lanes.ts';
import { RULER_HEIGHT } from './rows.ts';
import { screenX, stepX, type Scene } from './scene.ts';
import { shortened } from './words.ts';

let pattern: { of: string; made: CanvasPattern } | null = null;

function hatching(context: CanvasRenderingContext2D, colour: string): CanvasPattern | string {
  if (pattern?.of === colour) return pattern.made;
  const tile = document.createElement('canvas');
  tile.width = tile.height = 8;
  const ink = tile.getContext('2d');
  if (!ink) return colour;
  ink.strokeStyle = colour;
  ink.lineWidth = 1;
  for (const shift of [-8, 0, 8]) {
    ink.moveTo(shift, 8);
    ink.lineTo(shift + 8, 0);
  }
  ink.stroke();
  const made = context.createPattern(tile, 'repeat');
  if (!made) return colour;
  pattern = { of: colour, made };
  return made;
}

/** Draws conditions as hatched bands across their lanes, and tints the lanes of leaders. */
export function drawBands(context: CanvasRenderingContext2D, scene: Scene, labels: Labels): void {
  const { run, axis, camera, theme } = scene;
  for (const band of run.bands) {
    if (band.what in RANK) continue;
    const x0 = Math.max(camera.left, stepX(scene, band.from));
    const x1 = Math.min(camera.width, screenX(scene, band.until == null ? axis.end : axis.at[band.until]));
    if (x1 <= x0) continue;
    const all = band.lanes.length === 0;
    const blocks = all ? [{ top: RULER_HEIGHT + 2, bottom: camera.height }] : blocksOf(scene, band.lanes);
    const isLeading = band.what !== 'condition';
    for (const { top, bottom } of blocks) {
      context.fillStyle = isLeading ? theme.lead : theme.amber;
      context.fillRect(x0, top, x1 - x0, bottom - top);
      if (!isLeading) {
        context.fillStyle = hatching(context, theme.hatch);
        context.fillRect(x0, top, x1 - x0, bottom - top);
        context.fillStyle = theme.hatch;
        context.fillRect(x0, top, x1 - x0, 1);
        context.fillRect(x0, bottom - 1, x1 - x0, 1);
        if (stepX(scene, band.from) >= camera.left) context.fillRect(x0, top, 1.5, bottom - top);
      }
    }
    const first = blocks[0];
    if (!first) continue;
    drawSides(context, scene, band, x0, x1);
    const text = shortened(run.text(band.text), 60);
    const width = labels.width(text, WORDS);
    if (x1 - x0 < Math.min(width, 24)) continue;
    const places = [0, 1, 2, 3].map((line) => ({ x: x0 + 6, y: Math.max(first.top, RULER_HEIGHT) + 10 + line * 15 }));
    const at = labels.find(width, places, true);
    if (at) write(context, text, at, WORDS, isLeading ? theme.soft : theme.amberInk, theme.paper);
  }
}

/** The rectangles that these lanes fill: neighbours together. */
function blocksOf(scene: Scene, lanes: readonly number[]): { top: number; bottom: number }[] {
  const { rows, camera } = scene;
  const blocks: { top: number; bottom: number }[] = [];
  for (const lane of rows.order) {
    if (!lanes.includes(lane)) continue;
    const top = rows.y[lane] - rows.pitch * 0.5 - camera.scroll;
    const bottom = rows.y[lane] + rows.pitch * 0.38 - camera.scroll;
    const last = blocks.at(-1);
    if (last && top - last.bottom < rows.pitch * 0.2) last.bottom = bottom;
    else blocks.push({ top, bottom });
  }
  return blocks;
}

/** The side of each lane in a partition such as `{p0 p3} | {p1} | the others`. */
export function sidesOf(text: string, laneCount: number): number[] | null {
  if (!text.includes('|')) return null;
  const sides = new Array<number>(laneCount).fill(-1);
  text.split('|').forEach((group, side) => {
    for (const [, id] of group.matchAll(/\bp(\d+)\b/g)) if (Number(id) < laneCount) sides[Number(id)] = side;
  });
  const others = text.split('|').findIndex((group) => group.includes('others'));
  return sides.map((side) => (side < 0 ? others : side));
}

/** Draws the gap of a partition: a dashed line between neighbours on different sides, and a letter for each side. */
function drawSides(context: CanvasRenderingContext2D, scene: Scene, band: Band, x0: number, x1: number): void {
  const { run, rows, camera, theme } = scene;
  const sides = band.what === 'condition' ? sidesOf(run.text(band.text), run.laneCount) : null;
  if (!sides) return;
  context.strokeStyle = theme.edge;
  context.lineWidth = 1.5;
  context.setLineDash([7, 5]);
  rows.order.forEach((lane, place) => {
    const y = rows.y[lane] - camera.scroll;
    const below = rows.order[place + 1];
    if (sides[lane] >= 0) {
      const at = { x: x0 + 6, y: y - 9 };
      write(context, String.fromCharCode(65 + sides[lane]), at, `600 ${WORDS}`, theme.amberInk, theme.paper);
    }
    if (below === undefined || sides[below] === sides[lane]) return;
    const middle = Math.round(rows.y[below] - camera.scroll - rows.pitch * 0.56) + 0.5;
    context.strokeStyle = theme.edge;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(x0, middle);
    context.lineTo(x1, middle);
    context.stroke();
  });
  context.setLineDash([]);
}
