import type { App } from './app.ts';

/** Binds the keys; the ones of fields and buttons stay theirs. */
export function bindKeys(app: App): void {
  const acts: Record<string, () => void> = {
    ArrowLeft: () => along(app, -1),
    ArrowRight: () => along(app, 1),
    ArrowUp: () => toCause(app),
    ArrowDown: () => toEffect(app),
    '[': () => inStory(app, -1),
    ']': () => inStory(app, 1),
    ',': () => app.movePosition(-1),
    '.': () => app.movePosition(1),
    '+': () => app.diagram.zoomBy(1.5),
    '=': () => app.diagram.zoomBy(1.5),
    '-': () => app.diagram.zoomBy(1 / 1.5),
    '/': () => app.toolbar.search.focus(),
    f: () => app.store.update({ folded: !app.store.now.folded }),
    t: () => app.toggleAxis(),
    s: () => app.toggleStory(),
    d: () => app.toggleTheme(),
    c: () => void app.header.copy(),
    v: () => app.showViolation(),
    i: () => isolateSelected(app),
    '?': () => app.help.toggle(),
    Escape: () => app.back(),
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || (isTyping(event.target) && event.key !== 'Escape')) return;
    if (app.help.root.open && event.key !== '?') return;
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
function current(app: App): number | null {
  const { selected } = app.store.now;
  if (!selected) return null;
  return selected.what === 'step' ? selected.index : (app.run.messages[selected.index].sent ?? null);
}

function select(app: App, step: number | null | undefined): void {
  if (step != null && app.run.steps[step]) app.select({ what: 'step', index: step });
}

/** Where to begin if nothing is selected: at what shows the violation, or at the slider. */
function start(app: App): number {
  return [...app.run.roots].at(-1) ?? app.store.now.position;
}

function along(app: App, direction: 1 | -1): void {
  const { run } = app;
  const { shown } = app.diagram.scene;
  let step = current(app);
  if (step === null) return select(app, start(app));
  do step = direction > 0 ? run.next[step] : (run.steps[step].before ?? -1);
  while (step >= 0 && !shown[step]);
  select(app, step);
}

function toCause(app: App): void {
  const step = current(app);
  select(app, step === null ? start(app) : app.run.steps[step].cause);
}

function toEffect(app: App): void {
  const { selected } = app.store.now;
  if (selected?.what === 'message') return select(app, app.run.messages[selected.index].heard[0]);
  const step = current(app);
  if (step === null) return select(app, start(app));
  const { shown } = app.diagram.scene;
  select(app, app.run.causedBy.get(step)?.find((caused) => shown[caused]));
}

function inStory(app: App, direction: 1 | -1): void {
  select(app, app.story.neighbour(current(app), direction));
}

function isolateSelected(app: App): void {
  const step = current(app);
  if (step !== null) app.isolate(step);
}
