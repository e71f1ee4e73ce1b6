import { button, element } from './element.ts';
import { calmMotion } from './theme.ts';
import { visible } from './words.ts';

/** The buttons of the page: to copy the command, for light and dark, for help. */
export class Acts {
  readonly root: HTMLElement;
  private readonly copyButton: HTMLButtonElement;

  constructor(private readonly command: string, acts: { help: () => void; theme: () => void }) {
    this.copyButton = button('Copy command', { class: 'copy', 'aria-keyshortcuts': 'c', title: visible(command) }, () => void this.copy());
    this.root = element('div', { class: 'acts' }, [
      this.copyButton,
      button('◐', { class: 'icon', 'aria-label': 'Switch between light and dark', title: 'Light or dark' }, acts.theme),
      button('?', { class: 'icon', 'aria-label': 'Help: keys and marks', title: 'Keys and marks' }, acts.help),
    ]);
  }

  /** Copies the command that shows the same again. */
  async copy(): Promise<void> {
    let isCopied = true;
    try {
      await navigator.clipboard.writeText(this.command);
    } catch {
      isCopied = copyBySelection(this.command);
    }
    this.copyButton.textContent = isCopied ? 'Copied' : 'Copy failed';
    setTimeout(() => (this.copyButton.textContent = 'Copy command'), calmMotion() ? 3000 : 1500);
  }
}

/** Without the clipboard's interface, as on pages from files in some browsers. */
function copyBySelection(text: string): boolean {
  const area = element('textarea', { class: 'offscreen', 'aria-hidden': 'true' });
  area.value = text;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  return isCopied;
}
