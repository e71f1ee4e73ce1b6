import { App } from './app.ts';
import { readPage } from './data.ts';
import { debugOf } from './debug.ts';
import { element } from './element.ts';
import { PairApp } from './pair.ts';

function main(): void {
  const root = document.getElementById('app');
  const data = document.getElementById('data');
  if (!root || !data) return;
  try {
    const page = readPage(data.textContent ?? '');
    const app = page.pair ? new PairApp(page, page.pair, root) : new App(page.runs[0], root);
    window.ftsimViewer = debugOf(app.panels);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    root.replaceChildren(element('p', { class: 'failure', role: 'alert' }, [`The run cannot be drawn: ${text}`]));
    throw error;
  }
}

main();
