import { scaleLinear } from 'd3-scale';
import { MONO, WORDS, type Labels, write } from './labels.ts';
import { RULER_HEIGHT } from './rows.ts';
import { screenX, stepX, stepY, type Scene, visibleSteps } from './scene.ts';
import { counted, duration, shortened } from './words.ts';

/** The free room between two figures of the ruler. */
const TICK_ROOM = 96;
const SMALL = WORDS.replace('12px', '11px');

/** Draws the ruler: numbers of steps with their times, or times. */
export function drawRuler(context: CanvasRenderingContext2D, scene: Scene): void {
  const { axis, run, camera, theme, view } = scene;
  context.fillStyle = theme.gutter;
  context.fillRect(0, 0, camera.width, RULER_HEIGHT);
  context.fillStyle = theme.hair;
  context.fillRect(0, RULER_HEIGHT - 1, camera.width, 1);
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const tick = (x: number, strong: string, soft: string): void => {
    context.font = SMALL;
    if (x + 14 + context.measureText(strong + soft).width > camera.width) return;
    context.fillStyle = theme.line;
    context.fillRect(Math.round(x), RULER_HEIGHT - 6, 1, 5);
    context.fillStyle = theme.ink;
    context.fillText(strong, x + 4, RULER_HEIGHT / 2);
    const width = context.measureText(strong).width;
    context.fillStyle = theme.soft;
    context.fillText(soft, x + 9 + width, RULER_HEIGHT / 2);
  };
  if (view.axis === 'time') {
    const [from, until] = [camera.left, camera.width].map((x) => axis.timeOf((x - camera.shift) / camera.scale));
    const count = Math.max(2, (camera.width - camera.left) / TICK_ROOM / 1.2);
    for (const at of scaleLinear().domain([from, until]).ticks(count)) {
      const x = screenX(scene, axis.ofTime(at));
      if (x >= camera.left && at >= 0) tick(x, duration(at), '');
    }
    return;
  }
  const [first, last] = visibleSteps(scene);
  let free = camera.left;
  for (let step = first; step < last; step++) {
    const x = stepX(scene, step);
    if (!scene.shown[step] || x < free) continue;
    tick(x, `${run.steps[step].number}`, duration(run.steps[step].at));
    free = x + TICK_ROOM;
  }
}

/** Draws the violation in red: a line where it was noticed, and a ring around each step that shows it. */
export function drawViolation(context: CanvasRenderingContext2D, scene: Scene, labels: Labels): void {
  const { run, camera, theme, rows } = scene;
  context.strokeStyle = context.fillStyle = theme.red;
  for (const step of run.violations) {
    if (!scene.shown[step]) continue;
    const x = Math.round(stepX(scene, step)) + 0.5;
    context.globalAlpha = 0.55;
    context.lineWidth = 1;
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(x, RULER_HEIGHT);
    context.lineTo(x, Math.min(camera.height, rows.height - camera.scroll));
    context.stroke();
  }
  context.globalAlpha = 1;
  for (const step of run.roots) {
    if (!scene.shown[step]) continue;
    ring(context, stepX(scene, step), stepY(scene, step), 9, 2);
  }
  const { story } = run.diagram;
  const last = Math.max(-1, ...run.roots);
  if (!story || run.violations.length > 0 || last < 0 || !scene.shown[last]) return;
  // It was judged at the end: no step says so itself.
  const text = `✗ ${shortened(story.property, 40)}`;
  const [x, y, width] = [stepX(scene, last), stepY(scene, last), labels.width(text, WORDS)];
  const places = [18, -20].flatMap((lift) => [{ x: x + 6, y: y - lift }, { x: x - width / 2, y: y - lift }, { x: x - width - 6, y: y - lift }]);
  const at = labels.find(width, places, true);
  if (at) write(context, text, at, WORDS, theme.red, theme.paper);
}

function ring(context: CanvasRenderingContext2D, x: number, y: number, radius: number, width: number): void {
  context.lineWidth = width;
  context.beginPath();
  context.arc(x, y, radius, 0, Math.PI * 2);
  context.stroke();
}

/** Draws where a run begins to differ from the other one: a line, and a ring around its first own event. */
export function drawDifference(context: CanvasRenderingContext2D, scene: Scene, labels: Labels): void {
  const { run, axis, camera, theme, rows } = scene;
  const { difference } = run;
  if (!difference) return;
  const { first, agree } = difference;
  if (first && !scene.shown[first.step]) return;
  if (!first && agree < run.steps.length) return;
  const left = first ? (axis.at[first.step] + (axis.at[first.step - 1] ?? axis.at[first.step] - 1)) / 2 : axis.end;
  const x = Math.round(screenX(scene, left)) + 0.5;
  const bottom = Math.min(camera.height, rows.height - camera.scroll);
  context.strokeStyle = context.fillStyle = theme.ink;
  context.lineWidth = 1.5;
  context.setLineDash([]);
  context.beginPath();
  context.moveTo(x, RULER_HEIGHT);
  context.lineTo(x, bottom);
  context.stroke();
  if (first) ring(context, stepX(scene, first.step), stepY(scene, first.step), 10, 1.5);
  const text = first ? `${difference.name} differs from here` : `${difference.name} ends here`;
  const width = labels.width(text, WORDS);
  const places = [bottom + 8, RULER_HEIGHT + 12].flatMap((y) => [{ x: x + 6, y }, { x: x - width - 6, y }]);
  const at = labels.find(width, places, true);
  if (at) write(context, text, at, `600 ${WORDS}`, theme.ink, theme.paper);
}

/** Draws the slider's position, under all labels. */
export function drawPosition(context: CanvasRenderingContext2D, scene: Scene): void {
  const { run, camera, theme, view } = scene;
  if (view.position >= run.steps.length - 1 && !view.selected) return;
  const x = Math.round(stepX(scene, view.position)) + 0.5;
  context.strokeStyle = theme.accent;
  context.globalAlpha = 0.5;
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(x, RULER_HEIGHT);
  context.lineTo(x, Math.min(camera.height, scene.rows.height - camera.scroll));
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** Draws the slider's position on the ruler, the selected and the hovered step, and a measurement. */
export function drawPointers(context: CanvasRenderingContext2D, scene: Scene, labels: Labels): void {
  const { run, theme, view, hovered } = scene;
  context.strokeStyle = context.fillStyle = theme.accent;
  if (view.position < run.steps.length - 1 || view.selected) {
    const x = Math.round(stepX(scene, view.position)) + 0.5;
    context.beginPath();
    context.moveTo(x - 5, RULER_HEIGHT - 8);
    context.lineTo(x + 5, RULER_HEIGHT - 8);
    context.lineTo(x, RULER_HEIGHT - 1);
    context.fill();
  }
  for (const [one, width] of [[hovered, 1.5], [view.selected, 2.5]] as const) {
    if (one?.what === 'step' && scene.shown[one.index]) {
      ring(context, stepX(scene, one.index), stepY(scene, one.index), run.roots.has(one.index) ? 13 : 8, width);
    }
  }
  if (view.selected?.what === 'step' && view.measured !== null) {
    drawMeasure(context, scene, view.selected.index, view.measured, labels);
  }
}

function drawMeasure(context: CanvasRenderingContext2D, scene: Scene, a: number, b: number, labels: Labels): void {
  const { run, theme } = scene;
  const [x0, x1] = [stepX(scene, a), stepX(scene, b)];
  const y = RULER_HEIGHT + 10;
  ring(context, x1, stepY(scene, b), 7.5, 2.5);
  context.lineWidth = 1.5;
  context.beginPath();
  for (const [from, until] of [[[x0, y], [x1, y]], [[x0, y - 5], [x0, y + 5]], [[x1, y - 5], [x1, y + 5]]]) {
    context.moveTo(from[0], from[1]);
    context.lineTo(until[0], until[1]);
  }
  context.stroke();
  const steps = Math.abs(run.steps[b].number - run.steps[a].number);
  const text = `${counted(steps, 'step')} · ${duration(Math.abs(run.steps[b].at - run.steps[a].at))}`;
  const width = labels.width(text, WORDS);
  const at = labels.find(width, [{ x: (x0 + x1 - width) / 2, y: y + 13 }], true);
  if (at) write(context, text, at, WORDS, theme.accent, theme.paper);
}

/** Draws the names of lanes over whatever is left of the diagram. */
export function drawGutter(context: CanvasRenderingContext2D, scene: Scene): void {
  const { run, rows, camera, theme } = scene;
  context.fillStyle = theme.gutter;
  context.fillRect(0, RULER_HEIGHT, camera.left - 6, camera.height);
  context.fillStyle = theme.hair;
  context.fillRect(camera.left - 7, RULER_HEIGHT, 1, camera.height);
  context.save();
  context.beginPath();
  context.rect(0, RULER_HEIGHT, camera.left - 8, camera.height);
  context.clip();
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  const right = camera.left - 16;
  for (const lane of rows.order) {
    context.font = `600 ${MONO}`;
    context.fillStyle = theme.ink;
    context.fillText(shortened(run.laneName(lane), 14), right, rows.y[lane] - camera.scroll, right - 6);
  }
  if (rows.network !== null) {
    context.font = SMALL;
    context.fillStyle = theme.soft;
    context.fillText('network', right, rows.network - camera.scroll, right - 6);
  }
  context.restore();
  context.textAlign = 'left';
  context.font = SMALL;
  context.fillStyle = theme.soft;
  const unit = scene.view.axis === 'time' ? 'time' : 'step, time';
  context.fillText(unit, run.difference ? 26 : 10, RULER_HEIGHT / 2);
  if (run.difference) {
    context.font = `700 ${WORDS}`;
    context.fillStyle = theme.ink;
    context.fillText(run.difference.name, 10, RULER_HEIGHT / 2);
  }
  context.font = `600 ${SMALL}`;
  for (const { text, y } of rows.headings) {
    if (text === '') continue;
    context.fillStyle = theme.hair;
    context.fillRect(0, y - 10 - camera.scroll, camera.left - 7, 20);
    context.fillStyle = theme.soft;
    context.fillText(shortened(text, 16), 10, y - camera.scroll, camera.left - 20);
  }
}
