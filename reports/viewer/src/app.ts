import { Acts } from './acts.ts';
import { readAddress, writeAddress } from './address.ts';
import type { Diagram } from './data.ts';
import type { Desk } from './desk.ts';
import { element } from './element.ts';
import { Header } from './header.ts';
import { Help } from './help.ts';
import { bindKeys } from './keys.ts';
import { Panel } from './panel.ts';
import { bindPointer } from './pointer.ts';
import { Run } from './run.ts';
import { StoryColumn } from './story.ts';
import { isDark } from './theme.ts';

/** The page of one run. */
export class App implements Desk {
  readonly help = new Help();
  readonly panel: Panel;
  readonly panels: readonly Panel[];
  private readonly acts: Acts;
  private readonly story: StoryColumn;
  private readonly live = element('p', { class: 'offscreen', 'aria-live': 'polite' });
  private readonly main: HTMLElement;
  private addressTimer = 0;

  constructor(data: Diagram, root: HTMLElement) {
    const run = new Run(data);
    const { view, window } = readAddress(location.hash, run);
    this.panel = new Panel(run, (text) => (this.live.textContent = text), view);
    this.panels = [this.panel];
    const { diagram, store, minimap, toolbar, inspector, tooltip } = this.panel;
    this.acts = new Acts(data.about.command, { help: () => this.help.toggle(), theme: () => this.toggleTheme() });
    this.story = new StoryColumn(run, (step) => this.panel.select({ what: 'step', index: step }));
    this.main = element('div', { class: 'main' }, [this.story.root, foldButton(() => this.toggleStory()), diagram.root]);
    const strip = element('div', { class: 'strip' }, [minimap.root, toolbar.root]);
    root.replaceChildren(new Header(run, this.acts).root, this.main, strip, inspector.root, tooltip.root, this.live, this.help.root);
    store.follow((now) => {
      this.story.follow(now);
      this.keepAddress();
    });
    diagram.onPaint(() => this.keepAddress());
    bindKeys(this);
    bindPointer(this.panel);
    this.panel.listen();
    addEventListener('hashchange', () => this.openAddress());
    this.panel.open(window);
    this.story.follow(store.now);
  }

  neighbour(selected: number | null, direction: 1 | -1): number | null {
    return this.story.neighbour(selected, direction);
  }

  showPoint(): void {
    this.panel.showPoint();
  }

  copy(): void {
    void this.acts.copy();
  }

  toggleStory(): void {
    this.main.classList.toggle('without-story');
    this.panel.diagram.resize();
  }

  toggleTheme(): void {
    switchTheme();
    this.panel.retheme();
  }

  private get address(): string {
    return writeAddress(this.panel.store.now, this.panel.diagram.window, this.panel.run);
  }

  private openAddress(): void {
    if (location.hash === this.address) return;
    const { view, window } = readAddress(location.hash, this.panel.run);
    this.panel.goTo(view, window);
  }

  private keepAddress(): void {
    clearTimeout(this.addressTimer);
    this.addressTimer = window.setTimeout(() => {
      if (this.address !== location.hash) history.replaceState(null, '', this.address);
    }, 250);
  }
}

export function switchTheme(): void {
  document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
}

/** The button on the edge of the column beside the diagram. */
export function foldButton(toggle: () => void): HTMLElement {
  const label = 'Hide or show the story';
  const made = element('button', { class: 'fold', type: 'button', 'aria-label': label, title: `${label} (s)` }, ['‹']);
  made.addEventListener('click', toggle);
  return made;
}
