import { App } from './app.ts';
import { readPage } from './data.ts';
import { debugOf } from './debug.ts';
import { element } from './element.ts';

function main(): void {
  const root = document.getElementById('app');
  const data = document.getElementById('data');
  if (!root || !data) return;
  try {
    const app = new App(readPage(data.textContent ?? '').runs[0], root);
    window.ftsimViewer = debugOf(app.panel);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    root.replaceChildren(element('p', { class: 'failure', role: 'alert' }, [`The run cannot be drawn: ${text}`]));
    throw error;
  }
}

main();
