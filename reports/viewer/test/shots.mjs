// Screenshots of what is drawn: `node test/shots.mjs [name...]`; also of pages in SAMPLES.
import { readdirSync, readFileSync } from 'node:fs';
import { launch, open, shot, writePage } from './page.mjs';
import { broadcast, bustle, pair } from './runs.mjs';

const wanted = process.argv.slice(2);
const settled = (page) => page.waitForTimeout(150);
const views = {
  light: [broadcast, {}, async () => {}],
  dark: [broadcast, { colorScheme: 'dark' }, async () => {}],
  selected: [broadcast, {}, async (page) => { await page.evaluate(() => window.ftsimViewer.select({ what: 'step', index: 5 })); }],
  time: [broadcast, {}, async (page) => { await page.keyboard.press('t'); }],
  narrow: [broadcast, { viewport: { width: 900, height: 700 } }, async () => {}],
  help: [broadcast, {}, async (page) => { await page.keyboard.press('?'); }],
  bustle: [() => bustle({ steps: 300, lanes: 6, roles: true }), {}, async () => {}],
  'bustle-dark': [() => bustle({ steps: 300, lanes: 6, roles: true }), { colorScheme: 'dark' }, async (page) => { await page.evaluate(() => window.ftsimViewer.select({ what: 'step', index: 40 })); }],
  zoomed: [() => bustle({ steps: 300, lanes: 5, violated: false }), {}, async (page) => { await page.evaluate(() => window.ftsimViewer.show(100, 130)); }],
  whole: [() => bustle({ steps: 300, lanes: 5 }), {}, async (page) => { await page.keyboard.press('Escape'); }],
  pair: [pair, {}, async () => {}],
  'pair-selected': [pair, { colorScheme: 'dark' }, async (page) => { await page.keyboard.press(']'); }],
  'pair-time': [pair, {}, async (page) => { await page.keyboard.press('Escape'); await page.keyboard.press('t'); }],
  'pair-narrow': [pair, { viewport: { width: 900, height: 700 } }, async (page) => { await page.keyboard.press(']'); }],
  crowd: [() => bustle({ steps: 20_000, lanes: 7 }), {}, async (page) => { await page.keyboard.press('Escape'); }],
};
const browser = await launch();
for (const [name, [run, options, act]] of Object.entries(views)) {
  if (wanted.length && !wanted.includes(name)) continue;
  const { page, errors } = await open(browser, writePage(name, run()), options);
  await act(page);
  await settled(page);
  await shot(page, name);
  if (errors.length) console.log(name, errors);
  await page.close();
}
const { SAMPLES } = process.env;
for (const file of SAMPLES ? readdirSync(SAMPLES) : []) {
  const name = file.replace('.html', '');
  if (!file.endsWith('.html') || (wanted.length && !wanted.includes(name))) continue;
  const html = readFileSync(`${SAMPLES}/${file}`, 'utf8');
  const [, json] = /<script[^>]*id="data"[^>]*>([\s\S]*?)<\/script>/.exec(html) ?? [];
  if (!json) continue;
  const { page, errors } = await open(browser, writePage(name, json), {});
  await settled(page);
  await shot(page, `sample-${name}`);
  console.log(name, errors);
  await page.close();
}
await browser.close();
