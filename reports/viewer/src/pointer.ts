import type { App } from './app.ts';
import type { Selection } from './view.ts';

/** How far the pointer may move in a click, in pixels. */
const STILL = 4;

/** Binds hovering, clicks and double clicks on the diagram. */
export function bindPointer(app: App): void {
  const { canvas } = app.diagram;
  let down: [number, number] = [0, 0];
  const under = (event: MouseEvent): Selection | null => app.diagram.hit(event.offsetX, event.offsetY);
  canvas.addEventListener('pointerdown', (event) => (down = [event.clientX, event.clientY]), { capture: true });
  canvas.addEventListener('pointermove', (event) => {
    if (event.buttons) return hover(app, null, event);
    hover(app, under(event), event);
  });
  canvas.addEventListener('pointerleave', (event) => hover(app, null, event));
  canvas.addEventListener('click', (event) => {
    if (Math.hypot(event.clientX - down[0], event.clientY - down[1]) > STILL) return;
    const what = under(event);
    app.diagram.root.focus({ preventScroll: true });
    if (event.shiftKey && what?.what === 'step') app.measureTo(what.index);
    else if (what) app.select(what, false);
    else if (app.store.now.selected) app.select(null);
  });
  canvas.addEventListener('dblclick', (event) => {
    const what = under(event);
    if (what?.what === 'step') app.isolate(what.index);
    else if (!what && app.store.now.isolated !== null) app.store.update({ isolated: null });
  });
}

function hover(app: App, what: Selection | null, event: PointerEvent): void {
  app.diagram.hover(what);
  app.diagram.canvas.style.cursor = what ? 'pointer' : '';
  app.tooltip.show(what, event.clientX, event.clientY);
}
