import type { Part } from './data.ts';
import { MONO, WORDS, type LabelPlace, type Labels, write } from './labels.ts';
import type { Run } from './run.ts';
import { CROWD, DIMMED, type Scene, standsOut, stepX, stepY, visibleSteps } from './scene.ts';
import { markWords } from './sentence.ts';
import { brief, shortened } from './words.ts';

type Glyph = 'dot' | 'start' | 'request' | 'indicate' | 'timer' | 'suspect' | 'trust' | 'crash' | 'recover' | 'pause' | 'resume' | 'fault' | 'network';

/** How a step is drawn. */
export interface Mark {
  glyph: Glyph;
  /** Whether it announces something, whatever else it is. */
  announces: boolean;
  logs: boolean;
  /** Whether a client asks for something in it. */
  asked: boolean;
  words: string;
  /** The same in fewer words, for where there is less room. */
  briefWords: string;
  /** How much the words matter: those that matter most are placed first. */
  weight: number;
  isMono: boolean;
}

/** Glyphs and the weight of words; those that come later win. */
const GLYPHS: Record<string, [Glyph, number]> = {
  start: ['start', 0],
  append: ['dot', 1],
  note: ['dot', 0],
  reach: ['dot', 3],
  timer: ['timer', 2],
  'request-masked': ['dot', 1],
  trust: ['trust', 3],
  suspect: ['suspect', 4],
  request: ['request', 6],
  'request-lost': ['request', 4],
  indicate: ['indicate', 7],
  resume: ['resume', 5],
  recover: ['recover', 6],
  pause: ['pause', 6],
  heal: ['network', 5],
  stabilise: ['network', 5],
  begins: ['network', 0],
  ends: ['network', 5],
  well: ['network', 4],
  unavailable: ['network', 5],
  'clock-jump': ['fault', 8],
  'state-corrupted': ['fault', 8],
  'storage-error': ['fault', 8],
  damage: ['fault', 8],
  abort: ['fault', 8],
  doubled: ['fault', 8],
  corrupt: ['fault', 8],
  crash: ['crash', 8],
  panic: ['fault', 9],
  violation: ['dot', 10],
};
const ORDER = Object.keys(GLYPHS);
/** Events whose words are the protocol's own. */
const MONO_EVENTS = new Set(['request', 'indicate', 'append', 'timer', 'request-lost']);

const marksOf = new WeakMap<Run, Mark[]>();

export function markOf(run: Run, index: number): Mark {
  let marks = marksOf.get(run);
  if (!marks) marksOf.set(run, (marks = []));
  return (marks[index] ??= makeMark(run, index));
}

function makeMark(run: Run, index: number): Mark {
  const { parts, lane } = run.steps[index];
  const known = parts.filter((part) => part.event in GLYPHS);
  known.sort((a, b) => ORDER.indexOf(b.event) - ORDER.indexOf(a.event));
  const drawn = known.find((part) => part.event !== 'violation');
  const spoken = known.filter((part) => markWords(run, part) !== '' && part.event !== 'start');
  const told = spoken.slice(0, 2);
  const weight = told[0] ? GLYPHS[told[0].event][1] : 0;
  const glyph = drawn ? GLYPHS[drawn.event][0] : 'dot';
  const isMinor = (part: Part): boolean => GLYPHS[part.event][1] < 4;
  const words = told.filter((part, place) => place === 0 || !isMinor(part)).reverse();
  return {
    glyph: lane == null ? 'network' : glyph,
    announces: parts.some((part) => part.event === 'indicate'),
    logs: parts.some((part) => part.event === 'append' || part.event === 'rewrite'),
    asked: parts.some((part) => part.event === 'request'),
    words: words.map((part) => shortened(markWords(run, part), 34)).join(' · '),
    briefWords: told[0] ? (MONO_EVENTS.has(told[0].event) ? brief(markWords(run, told[0])) : shortened(markWords(run, told[0]), 34)) : '',
    weight,
    isMono: told[0] !== undefined && MONO_EVENTS.has(told[0].event),
  };
}

/** Draws the marks of steps; in a crowd, a stroke each. */
export function drawMarks(context: CanvasRenderingContext2D, scene: Scene): void {
  const [first, last] = visibleSteps(scene);
  const isCrowd = last - first > CROWD;
  const size = Math.max(1.4, Math.min(3.2, 1 + scene.camera.scale * 0.12));
  for (const strong of [false, true]) {
    context.globalAlpha = strong ? 1 : DIMMED;
    if (isCrowd) drawStrokes(context, scene, first, last, strong);
    for (let step = first; step < last; step++) {
      if (!scene.shown[step] || standsOut(scene, step) !== strong) continue;
      const mark = markOf(scene.run, step);
      if (isCrowd && mark.weight < 8 && !(scene.emphasis && strong && mark.weight >= 6)) continue;
      drawMark(context, scene, step, mark, size);
    }
  }
  context.globalAlpha = 1;
}

function drawStrokes(context: CanvasRenderingContext2D, scene: Scene, first: number, last: number, strong: boolean): void {
  context.strokeStyle = scene.theme.ink;
  context.lineWidth = 1;
  context.globalAlpha = strong ? 0.35 : 0.1;
  context.beginPath();
  const drawnAt = new Map<number, number>();
  for (let step = first; step < last; step++) {
    if (!scene.shown[step] || standsOut(scene, step) !== strong) continue;
    const [x, y] = [Math.round(stepX(scene, step)), stepY(scene, step)];
    if (drawnAt.get(y) === x) continue;
    drawnAt.set(y, x);
    context.moveTo(x + 0.5, y - 2);
    context.lineTo(x + 0.5, y + 2);
  }
  context.stroke();
  context.globalAlpha = strong ? 1 : DIMMED;
}

function drawMark(context: CanvasRenderingContext2D, scene: Scene, step: number, mark: Mark, size: number): void {
  const { theme } = scene;
  const [x, y] = [stepX(scene, step), stepY(scene, step)];
  if (Number.isNaN(y)) return;
  context.strokeStyle = context.fillStyle = theme.ink;
  context.lineWidth = 1.5;
  if (mark.logs) drawLog(context, scene, step, x, y, size);
  if (mark.announces) {
    const half = Math.min(8, Math.max(2, scene.camera.scale * 0.4));
    context.fillStyle = theme.ink;
    context.fillRect(x - half, y - 2.5, half * 2, 5);
  }
  const stroke = (...lines: [number, number, number, number][]): void => {
    context.beginPath();
    for (const [x0, y0, x1, y1] of lines) {
      context.moveTo(x + x0, y + y0);
      context.lineTo(x + x1, y + y1);
    }
    context.stroke();
  };
  if (mark.asked || mark.glyph === 'request') {
    // Slanted, so that it is not taken for the head of a message that leaves here.
    stroke([-12, -14, -6, -7]);
    context.beginPath();
    context.moveTo(x - 2.5, y - 3);
    context.lineTo(x - 9, y - 6.5);
    context.lineTo(x - 4.5, y - 10);
    context.fill();
  }
  const ring = (radius: number, fill: string): void => {
    context.beginPath();
    context.arc(x, y, radius, 0, Math.PI * 2);
    context.fillStyle = fill;
    context.fill();
    context.stroke();
  };
  switch (mark.glyph) {
    case 'start':
      return stroke([0, -4, 0, 4]);
    case 'timer':
      return mark.announces ? undefined : ring(size, theme.paper);
    case 'suspect':
      return drawDiamond(context, x, y, 5, theme.paper);
    case 'trust':
      return drawDiamond(context, x, y, 4, theme.ink);
    case 'crash': {
      context.lineWidth = 2.5;
      const arm = Math.max(4, size * 2);
      return stroke([-arm, -arm, arm, arm], [-arm, arm, arm, -arm]);
    }
    case 'recover':
      context.lineWidth = 2;
      ring(size + 2, theme.paper);
      return stroke([0, -1, 0, 1]);
    case 'pause':
      context.lineWidth = 2;
      return stroke([-2.5, -5, -2.5, 5], [2.5, -5, 2.5, 5]);
    case 'resume':
      context.beginPath();
      context.moveTo(x - 3, y - 5);
      context.lineTo(x + 5, y);
      context.lineTo(x - 3, y + 5);
      return context.fill();
    case 'fault':
      context.strokeStyle = theme.amberInk;
      context.lineWidth = 2;
      drawDiamond(context, x, y, 6, theme.paper);
      return stroke([0, -3, 0, 0.5], [0, 2, 0, 3]);
    case 'network':
      context.strokeStyle = theme.amberInk;
      return stroke([0, -5, 0, 5]);
    default:
      if (mark.announces) return undefined;
      context.beginPath();
      context.arc(x, y, size, 0, Math.PI * 2);
      return context.fill();
  }
}

function drawDiamond(context: CanvasRenderingContext2D, x: number, y: number, size: number, fill: string): void {
  context.beginPath();
  context.moveTo(x, y - size);
  context.lineTo(x + size, y);
  context.lineTo(x, y + size);
  context.lineTo(x - size, y);
  context.closePath();
  context.fillStyle = fill;
  context.fill();
  context.stroke();
}

/** A tick below the line, filled once what was logged is durable. */
function drawLog(context: CanvasRenderingContext2D, scene: Scene, step: number, x: number, y: number, size: number): void {
  const width = Math.min(5, size * 1.6);
  const synced = scene.run.syncedIn.get(step);
  const isDurable = synced !== undefined && synced <= scene.view.position;
  context.lineWidth = 1.25;
  if (isDurable) context.fillRect(x - width / 2, y + 5, width, 8);
  else context.strokeRect(x - width / 2, y + 5, width, 8);
}

/** The longest hairline that is drawn whole, and the length of the ends of longer ones; in pixels. */
const TIMER_LENGTH_MAX = 320;
const TIMER_END = 45;

/** Draws hairlines from where a timer was set to where it ran out. */
export function drawTimers(context: CanvasRenderingContext2D, scene: Scene): void {
  const { run, shown, theme } = scene;
  const [first, last] = visibleSteps(scene);
  if (last - first > CROWD / 2) return;
  context.lineWidth = 0.8;
  context.strokeStyle = theme.soft;
  for (let step = first; step < run.steps.length; step++) {
    const { cause, lane, parts } = run.steps[step];
    if (cause == null || lane == null || parts[0]?.event !== 'timer') continue;
    if (!shown[step] || !shown[cause] || cause >= last) continue;
    const [x0, x1, y] = [stepX(scene, cause), stepX(scene, step), stepY(scene, step)];
    const depth = Math.min(scene.rows.pitch * 0.22, 9);
    context.globalAlpha = standsOut(scene, step) ? 0.55 : DIMMED * 0.55;
    const middle = (x0 + x1) / 2;
    // A long hairline would look like a second line of the process: only its ends are drawn.
    const isLong = x1 - x0 > TIMER_LENGTH_MAX;
    context.beginPath();
    context.moveTo(x0, y + 3);
    context.quadraticCurveTo(x0, y + depth, Math.min(x0 + 10, middle), y + depth);
    if (isLong) {
      context.lineTo(x0 + TIMER_END, y + depth);
      context.moveTo(x1 - TIMER_END, y + depth);
    }
    context.lineTo(Math.max(x1 - 10, middle), y + depth);
    context.quadraticCurveTo(x1, y + depth, x1, y + 3);
    context.stroke();
  }
  context.globalAlpha = 1;
}

/** The number of steps on the screen above which only weighty words are tried. */
const WORDY_MAX = 400;

/** Writes words beside the marks, the weightiest first. */
export function labelMarks(context: CanvasRenderingContext2D, scene: Scene, labels: Labels): void {
  const { run, theme, rows } = scene;
  const [first, last] = visibleSteps(scene);
  const weightMin = last - first > CROWD ? 9 : last - first > WORDY_MAX ? 7 : last - first > 120 ? 4 : 1;
  const steps: number[] = [];
  for (let step = first; step < last; step++) {
    if (scene.shown[step] && standsOut(scene, step) && markOf(run, step).weight >= weightMin) steps.push(step);
  }
  const importance = (step: number): number => markOf(run, step).weight + (run.roots.has(step) ? 20 : 0);
  steps.sort((a, b) => importance(b) - importance(a) || a - b);
  for (const step of steps.slice(0, 250)) {
    const mark = markOf(run, step);
    const font = mark.isMono ? MONO : WORDS;
    const isViolation = run.hasPart(step, 'violation') || run.hasPart(step, 'panic');
    const colour = isViolation ? theme.red : mark.glyph === 'fault' ? theme.amberInk : mark.weight <= 3 ? theme.soft : theme.ink;
    const [x, y] = [stepX(scene, step), stepY(scene, step)];
    const lift = mark.asked || mark.glyph === 'request' ? 23 : run.roots.has(step) ? 18 : 14;
    const placesOf = (width: number): LabelPlace[] => [...(isViolation ? aside(x, y, width) : []), ...above(x, y, width, lift), ...(rows.pitch > 44 ? below(x, y, width, mark.logs ? 24 : 19) : [])];
    const isUrgent = mark.weight >= 8 || run.roots.has(step);
    for (const words of mark.words === mark.briefWords ? [mark.words] : [mark.words, mark.briefWords]) {
      const width = labels.width(words, font);
      if (words !== mark.briefWords && width > Math.max(110, scene.camera.scale * 4)) continue;
      const at = labels.find(width, placesOf(width), isUrgent && words === mark.briefWords);
      if (at) write(context, words, at, font, colour, theme.paper);
      if (at) break;
    }
  }
}

/** Places above a mark, beside the line of the violation. */
function aside(x: number, y: number, width: number): LabelPlace[] {
  return [{ x: x + 8, y: y - 18 }, { x: x - width - 8, y: y - 18 }];
}

/** Places above a mark: in its middle, to its right, to its left; and once more, higher. */
function above(x: number, y: number, width: number, lift: number): LabelPlace[] {
  return [0, 14].flatMap((more) => [
    { x: x - width / 2, y: y - lift - more },
    { x: x - 4, y: y - lift - more },
    { x: x - width + 4, y: y - lift - more },
  ]);
}

function below(x: number, y: number, width: number, drop: number): LabelPlace[] {
  return [x - width / 2, x - 2, x - width + 2].map((left) => ({ x: left, y: y + drop }));
}
