import type { Band } from './data.ts';
import { RULER_HEIGHT } from './rows.ts';
import { screenX, type Scene } from './scene.ts';

type Look = 'up' | 'absent' | 'down' | 'paused' | 'byzantine';

/** What wins when a process is several things at once. */
export const RANK: Record<string, number> = { byzantine: 1, paused: 2, down: 3, absent: 4 };

/** A stretch of a lane that looks alike; in units. */
export interface Stretch {
  from: number;
  until: number;
  look: Look;
}

/** The stretches of a lane, from its bands. */
export function stretches(bands: readonly Band[], at: (step: number) => number, start: number, end: number): Stretch[] {
  const own = bands.filter((band) => band.what in RANK);
  const span = (band: Band): [number, number] => [band.what === 'absent' ? start : at(band.from), band.until == null ? end : at(band.until)];
  const edges = [...new Set([start, end, ...own.flatMap(span)])].sort((a, b) => a - b);
  const made: Stretch[] = [];
  for (let index = 0; index + 1 < edges.length; index++) {
    const [from, until] = [edges[index], edges[index + 1]];
    const holds = own.filter((band) => span(band)[0] <= from && until <= span(band)[1]);
    const look = holds.sort((a, b) => RANK[b.what] - RANK[a.what])[0]?.what ?? 'up';
    const last = made.at(-1);
    if (last?.look === look) last.until = until;
    else made.push({ from, until, look: look as Look });
  }
  return made;
}

/** Draws the lines of processes: none while they are down, dotted while paused, double if Byzantine. */
export function drawLanes(context: CanvasRenderingContext2D, scene: Scene): void {
  const { run, axis, rows, camera, theme } = scene;
  context.strokeStyle = theme.line;
  for (const lane of rows.order) {
    const y = Math.round(rows.y[lane] - camera.scroll) + 0.5;
    if (y < RULER_HEIGHT - 20 || y > camera.height + 20) continue;
    const bands = run.bands.filter((band) => band.lanes.includes(lane));
    for (const { from, until, look } of stretches(bands, (step) => axis.at[step], 0, axis.end)) {
      const x0 = Math.max(camera.left - 5, screenX(scene, from));
      const x1 = Math.min(camera.width + 5, screenX(scene, until));
      if (x1 <= x0 || look === 'down' || look === 'absent') continue;
      context.setLineDash(look === 'paused' ? [1.5, 5] : []);
      context.lineWidth = look === 'paused' ? 1.5 : 1;
      for (const shift of look === 'byzantine' ? [-2, 2] : [0]) {
        context.beginPath();
        context.moveTo(x0, y + shift);
        context.lineTo(x1, y + shift);
        context.stroke();
      }
    }
  }
  context.setLineDash([]);
  if (rows.network === null) return;
  const y = Math.round(rows.network - camera.scroll) + 0.5;
  context.strokeStyle = theme.hair;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(camera.left, y);
  context.lineTo(camera.width, y);
  context.stroke();
}
