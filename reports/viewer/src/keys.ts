import type { Desk } from './desk.ts';
import type { Panel } from './panel.ts';

/** Binds the keys; the ones of fields and buttons stay theirs. */
export function bindKeys(desk: Desk): void {
  const acts: Record<string, () => void> = {
    ArrowLeft: () => along(desk.panel, -1),
    ArrowRight: () => along(desk.panel, 1),
    ArrowUp: () => toCause(desk.panel),
    ArrowDown: () => toEffect(desk.panel),
    '[': () => inStory(desk, -1),
    ']': () => inStory(desk, 1),
    ',': () => desk.panel.movePosition(-1),
    '.': () => desk.panel.movePosition(1),
    '+': () => desk.panel.diagram.zoomBy(1.5),
    '=': () => desk.panel.diagram.zoomBy(1.5),
    '-': () => desk.panel.diagram.zoomBy(1 / 1.5),
    '/': () => desk.panel.toolbar.search.focus(),
    f: () => desk.panel.toggleFold(),
    t: () => desk.panel.toggleAxis(),
    s: () => desk.toggleStory(),
    d: () => desk.toggleTheme(),
    c: () => desk.copy(),
    v: () => desk.showPoint(),
    i: () => isolateSelected(desk.panel),
    o: () => desk.turn?.(),
    '?': () => desk.help.toggle(),
    Escape: () => desk.panel.back(),
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || (isTyping(event.target) && event.key !== 'Escape')) return;
    if (desk.help.root.open && event.key !== '?') return;
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return target.type !== 'checkbox';
  return target instanceof HTMLTextAreaElement;
}

/** The selected step; of a message, the one that sent it. */
function current(panel: Panel): number | null {
  const { selected } = panel.store.now;
  if (!selected) return null;
  return selected.what === 'step' ? selected.index : (panel.run.messages[selected.index].sent ?? null);
}

function select(panel: Panel, step: number | null | undefined): void {
  if (step != null && panel.run.steps[step]) panel.select({ what: 'step', index: step });
}

/** Where to begin if nothing is selected: at what shows the violation, or at the slider. */
function start(panel: Panel): number {
  return [...panel.run.roots].at(-1) ?? panel.store.now.position;
}

function along(panel: Panel, direction: 1 | -1): void {
  const { run } = panel;
  const { shown } = panel.diagram.scene;
  let step = current(panel);
  if (step === null) return select(panel, start(panel));
  do step = direction > 0 ? run.next[step] : (run.steps[step].before ?? -1);
  while (step >= 0 && !shown[step]);
  select(panel, step);
}

function toCause(panel: Panel): void {
  const step = current(panel);
  select(panel, step === null ? start(panel) : panel.run.steps[step].cause);
}

function toEffect(panel: Panel): void {
  const { selected } = panel.store.now;
  if (selected?.what === 'message') return select(panel, panel.run.messages[selected.index].heard[0]);
  const step = current(panel);
  if (step === null) return select(panel, start(panel));
  const { shown } = panel.diagram.scene;
  select(panel, panel.run.causedBy.get(step)?.find((caused) => shown[caused]));
}

function inStory(desk: Desk, direction: 1 | -1): void {
  select(desk.panel, desk.neighbour(current(desk.panel), direction));
}

function isolateSelected(panel: Panel): void {
  const step = current(panel);
  if (step !== null) panel.isolate(step);
}
