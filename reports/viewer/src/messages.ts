import { lateFrom, type Arrow, type Segment } from './arrows.ts';
import { MONO, WORDS, type LabelPlace, type Labels, write } from './labels.ts';
import { CROWD, DIMMED, onScreen, type Scene, visibleSteps } from './scene.ts';
import { kindColour } from './theme.ts';
import { brief, shortened } from './words.ts';

/** An arrow on the screen. */
export interface Drawn {
  arrow: Arrow;
  segment: Segment;
  strong: boolean;
  colour: string;
}

/** The arrows to be drawn one by one, and whether the others are drawn as density. */
export interface Drawing {
  drawn: Drawn[];
  isCrowd: boolean;
}

/** The arrows on the screen; those that stand out come last, over the others. A crowd leaves the others out. */
export function drawnArrows(scene: Scene): Drawing {
  const { camera, places, strong, emphasis } = scene;
  const [from, until] = [camera.left - 10, camera.width + 10].map((x) => (x - camera.shift) / camera.scale);
  const [top, bottom] = [camera.scroll, camera.scroll + camera.height];
  const [behind, before]: number[][] = [[], []];
  for (let index = 0; index < scene.arrows.length; index++) {
    const at = index * 4;
    if (places[at + 2] < from || places[at] > until) continue;
    if (Math.max(places[at + 1], places[at + 3]) < top || Math.min(places[at + 1], places[at + 3]) > bottom) continue;
    (strong[index] && emphasis ? before : behind).push(index);
  }
  const [first, last] = visibleSteps(scene);
  const isCrowd = last - first > CROWD || behind.length + before.length > CROWD * 1.5;
  // Even what stands out can be a crowd.
  const single = isCrowd ? (before.length > CROWD ? [] : before) : [...behind, ...before];
  return { drawn: single.map((index) => drawnArrow(scene, index)), isCrowd };
}

function drawnArrow(scene: Scene, index: number): Drawn {
  const arrow = scene.arrows[index];
  const kind = scene.run.kindOf.get(scene.run.messages[arrow.message].kind);
  return { arrow, segment: onScreen(scene, index), strong: scene.strong[index] === 1, colour: kindColour(scene.theme, kind?.colour ?? -1) };
}

/** Draws messages; in a crowd, only those that stand out, over the density of all. */
export function drawMessages(context: CanvasRenderingContext2D, scene: Scene, { drawn, isCrowd }: Drawing): void {
  if (isCrowd) drawDensity(context, scene);
  const head = Math.max(3, Math.min(8, 2 + scene.camera.scale * 0.3));
  for (const one of drawn) drawArrow(context, scene, one, head, drawn.length > 300);
  context.globalAlpha = 1;
  context.setLineDash([]);
}

function drawArrow(context: CanvasRenderingContext2D, scene: Scene, { arrow, segment, strong, colour }: Drawn, head: number, isDense: boolean): void {
  const message = scene.run.messages[arrow.message];
  const isSelected = isMeant(scene, arrow.message);
  context.globalAlpha = strong || isSelected ? (isDense ? 0.75 : 1) : DIMMED * (isDense ? 0.6 : 1);
  context.strokeStyle = context.fillStyle = isSelected ? scene.theme.accent : colour;
  context.lineWidth = isSelected ? 2.25 : isDense ? 0.9 : 1.25;
  const { x0, y0, x1, y1 } = segment;
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (length < 0.5) return;
  const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
  const isWhole = arrow.end === 'heard' || arrow.end === 'bridge';
  // The head ends at the edge of the mark of the step.
  const reach = isWhole ? Math.max(0, length - 4) : length;
  const [tx, ty] = [x0 + ux * reach, y0 + uy * reach];
  const body = isWhole ? Math.max(0, reach - head * 0.9) : reach;
  const line = (from: number, until: number, dash: number[]): void => {
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(x0 + ux * from, y0 + uy * from);
    context.lineTo(x0 + ux * until, y0 + uy * until);
    context.stroke();
  };
  if (arrow.end === 'bridge') line(0, body, [6, 4]);
  else if (arrow.from < 0 || arrow.copy > 0) line(0, body, [2, 3]);
  else if (message.late && arrow.end === 'heard') {
    const turn = body * lateFrom(scene.run, arrow);
    line(0, turn, []);
    line(turn, body, [5, 4]);
  } else if (arrow.end === 'flying') {
    line(0, body * 0.6, []);
    line(body * 0.6, body, [1.5, 4]);
  } else line(0, body, []);
  context.setLineDash([]);
  if (isWhole) {
    drawHead(context, tx, ty, ux, uy, head, message.changed === true ? scene.theme.paper : null);
    if (message.replayed && (arrow.from < 0 || arrow.copy > 0)) drawReplayed(context, x0 + ux * length * 0.5, y0 + uy * length * 0.5);
  }
  if (arrow.end === 'lost') drawCross(context, x1, y1, Math.min(4.5, head * 0.7));
}

function drawHead(context: CanvasRenderingContext2D, x: number, y: number, ux: number, uy: number, size: number, hollow: string | null): void {
  const half = size * 0.42;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - ux * size - uy * half, y - uy * size + ux * half);
  context.lineTo(x - ux * size + uy * half, y - uy * size - ux * half);
  context.closePath();
  if (hollow !== null) {
    context.fillStyle = hollow;
    context.fill();
    context.lineWidth = 1.25;
    context.stroke();
  } else context.fill();
}

function drawCross(context: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  context.lineWidth = 1.75;
  context.beginPath();
  context.moveTo(x - size, y - size);
  context.lineTo(x + size, y + size);
  context.moveTo(x - size, y + size);
  context.lineTo(x + size, y - size);
  context.stroke();
}

/** Two bars across the arrow: it is sent a second time. */
function drawReplayed(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(x, y, 4, Math.PI * 0.2, Math.PI * 1.8);
  context.stroke();
}

function isMeant({ view, hovered }: Scene, message: number): boolean {
  const is = (one: { what: string; index: number } | null): boolean => one?.what === 'message' && one.index === message;
  return is(view.selected) || is(hovered);
}

const COLUMN = 3;
const LEVELS = 8;

/** Draws how many messages pass between two neighbouring lanes, in columns of a few pixels. */
function drawDensity(context: CanvasRenderingContext2D, scene: Scene): void {
  const { rows, camera, theme, places, arrows } = scene;
  const rank = new Int32Array(scene.run.laneCount);
  rows.order.forEach((lane, place) => (rank[lane] = place));
  const columns = Math.ceil((camera.width - camera.left) / COLUMN) + 1;
  const gaps = Math.max(1, rows.order.length - 1);
  const counts = new Float32Array(columns * gaps);
  for (let index = 0; index < arrows.length; index++) {
    const [x0, x1] = [camera.scale * places[index * 4] + camera.shift, camera.scale * places[index * 4 + 2] + camera.shift];
    if (x1 < camera.left || x0 > camera.width) continue;
    const [a, b] = [rank[arrows[index].fromLane], rank[arrows[index].toLane]];
    const middle = (Math.max(camera.left, x0) + Math.min(camera.width, x1)) / 2;
    const column = Math.max(0, Math.min(columns - 1, Math.floor((middle - camera.left) / COLUMN)));
    for (let gap = Math.min(a, b); gap < Math.max(a, b); gap++) counts[column * gaps + gap]++;
  }
  const most = counts.reduce((max, count) => Math.max(max, count), 1);
  context.fillStyle = theme.soft;
  for (let level = 1; level <= LEVELS; level++) {
    context.globalAlpha = (level / LEVELS) * (scene.emphasis ? 0.28 : 0.6);
    context.beginPath();
    for (let column = 0; column < columns; column++) {
      for (let gap = 0; gap < gaps; gap++) {
        const count = counts[column * gaps + gap];
        if (count === 0 || Math.ceil(Math.sqrt(count / most) * LEVELS) !== level) continue;
        const top = rows.y[rows.order[gap]] - camera.scroll + 2;
        const bottom = rows.y[rows.order[gap + 1]] - camera.scroll - 2;
        context.rect(camera.left + column * COLUMN, top, COLUMN, bottom - top);
      }
    }
    context.fill();
  }
  context.globalAlpha = 1;
}

/** The number of arrows that may have labels. */
const LABELLED_MAX = 160;

/** With more pixels than this between two steps, labels may tell more than the kind. */
const CONTENT_SCALE_MIN = 40;

/** Names the kinds of messages beside their arrows, where there is room. */
export function labelMessages(context: CanvasRenderingContext2D, scene: Scene, { drawn }: Drawing, labels: Labels): void {
  if (drawn.length > LABELLED_MAX && !scene.emphasis) return;
  const wanted = drawn.filter((one) => one.strong).slice(-LABELLED_MAX);
  for (const { arrow, segment, colour } of wanted.reverse()) {
    const message = scene.run.messages[arrow.message];
    const isSelected = isMeant(scene, arrow.message);
    const content = scene.run.text(message.text);
    const isRoomy = scene.camera.scale > CONTENT_SCALE_MIN;
    const text = isSelected ? shortened(content, 48) : isRoomy ? brief(content) : shortened(scene.run.text(message.kind), 24);
    const width = labels.width(text, MONO);
    const { x0, y0, x1, y1 } = segment;
    if (!isSelected && Math.hypot(x1 - x0, y1 - y0) < Math.min(60, width * 0.6)) continue;
    const at = labels.find(width, beside(segment, width), isSelected);
    if (at) write(context, text, at, MONO, isSelected ? scene.theme.accent : colour, scene.theme.paper);
    if (at && arrow.end === 'lost' && isSelected && message.lost) {
      const reason = shortened(scene.run.text(message.lost.reason), 40);
      const below = labels.find(labels.width(reason, WORDS), [{ x: at.x, y: at.y + 14 }], true);
      if (below) write(context, reason, below, WORDS, scene.theme.soft, scene.theme.paper);
    }
  }
}

/** Places beside an arrow, on the side to which it does not lean. */
function beside({ x0, y0, x1, y1 }: Segment, width: number): LabelPlace[] {
  const places: LabelPlace[] = [];
  for (const part of [0.5, 0.38, 0.62, 0.25, 0.75]) {
    const [x, y] = [x0 + (x1 - x0) * part, y0 + (y1 - y0) * part];
    const slope = Math.abs(y1 - y0) / Math.max(1, Math.abs(x1 - x0));
    // A flat arrow passes under its label, a steep one beside it.
    const lift = slope < 0.5 ? 8 + slope * width * 0.5 : 0;
    const away = slope < 0.5 ? -width / 2 : 5 + 8 / Math.max(0.5, slope);
    places.push({ x: x + away, y: y - lift });
    places.push({ x: slope < 0.5 ? x - width / 2 : x - away - width, y: y + lift });
  }
  return places;
}
