import { drawBands } from './bands.ts';
import { drawLanes } from './lanes.ts';
import { Labels } from './labels.ts';
import { drawMarks, drawTimers, labelMarks, markOf } from './marks.ts';
import { drawMessages, drawnArrows, labelMessages } from './messages.ts';
import { drawDifference, drawGutter, drawPointers, drawPosition, drawRuler, drawViolation } from './overlay.ts';
import { RULER_HEIGHT } from './rows.ts';
import { stepX, stepY, type Scene, visibleSteps } from './scene.ts';

/** Draws a scene: what matters more comes later, and lies on top. */
export function paint(context: CanvasRenderingContext2D, scene: Scene): void {
  const { camera, theme } = scene;
  context.globalAlpha = 1;
  context.fillStyle = theme.paper;
  context.fillRect(0, 0, camera.width, camera.height);
  const drawing = drawnArrows(scene);
  const lines = drawing.drawn.filter((one) => one.strong).map((one) => one.segment);
  for (const step of scene.run.violations) {
    const x = stepX(scene, step);
    if (scene.shown[step]) lines.push({ x0: x, y0: RULER_HEIGHT, x1: x, y1: camera.height });
  }
  const bounds = { left: camera.left - 2, top: RULER_HEIGHT, right: camera.width, bottom: camera.height };
  const labels = new Labels(context, lines, bounds);
  blockLines(scene, labels);
  context.save();
  context.beginPath();
  context.rect(camera.left - 6, RULER_HEIGHT, camera.width, camera.height);
  context.clip();
  drawBands(context, scene, labels);
  drawLanes(context, scene);
  drawTimers(context, scene);
  drawMessages(context, scene, drawing);
  drawPosition(context, scene);
  drawViolation(context, scene, labels);
  drawDifference(context, scene, labels);
  drawMarks(context, scene);
  labelMarks(context, scene, labels);
  labelMessages(context, scene, drawing, labels);
  context.restore();
  drawRuler(context, scene);
  drawPointers(context, scene, labels);
  drawGutter(context, scene);
}

/** Keeps labels off the lines of processes, and off the marks on them. */
function blockLines(scene: Scene, labels: Labels): void {
  const { rows, camera } = scene;
  for (const lane of rows.order) {
    const y = rows.y[lane] - camera.scroll;
    labels.block(camera.left - 10, y - 5, camera.width, y + 5);
  }
  const [first, last] = visibleSteps(scene);
  if (last - first > 300) return;
  for (let step = first; step < last; step++) {
    const mark = markOf(scene.run, step);
    const [x, y] = [stepX(scene, step), stepY(scene, step)];
    if (mark.asked) labels.block(x - 3, y - 12, x + 3, y);
    if (mark.logs) labels.block(x - 4, y, x + 4, y + 13);
    if (scene.run.roots.has(step)) labels.block(x - 9, y - 9, x + 9, y + 9);
  }
}
