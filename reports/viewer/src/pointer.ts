import type { Panel } from './panel.ts';
import type { Selection } from './view.ts';

/** How far the pointer may move in a click, in pixels. */
const STILL = 4;

/** Binds hovering, clicks and double clicks on the diagram. */
export function bindPointer(panel: Panel): void {
  const { canvas } = panel.diagram;
  let down: [number, number] = [0, 0];
  const under = (event: MouseEvent): Selection | null => panel.diagram.hit(event.offsetX, event.offsetY);
  canvas.addEventListener('pointerdown', (event) => (down = [event.clientX, event.clientY]), { capture: true });
  canvas.addEventListener('pointermove', (event) => {
    if (event.buttons) return hover(panel, null, event);
    hover(panel, under(event), event);
  });
  canvas.addEventListener('pointerleave', (event) => hover(panel, null, event));
  canvas.addEventListener('click', (event) => {
    if (Math.hypot(event.clientX - down[0], event.clientY - down[1]) > STILL) return;
    const what = under(event);
    panel.diagram.root.focus({ preventScroll: true });
    if (event.shiftKey && what?.what === 'step') panel.measureTo(what.index);
    else if (what) panel.select(what, false);
    else if (panel.store.now.selected) panel.select(null);
  });
  canvas.addEventListener('dblclick', (event) => {
    const what = under(event);
    if (what?.what === 'step') panel.isolate(what.index);
    else if (!what && panel.store.now.isolated !== null) panel.store.update({ isolated: null });
  });
}

function hover(panel: Panel, what: Selection | null, event: PointerEvent): void {
  panel.diagram.hover(what);
  panel.diagram.canvas.style.cursor = what ? 'pointer' : '';
  panel.tooltip.show(what, event.clientX, event.clientY);
}
