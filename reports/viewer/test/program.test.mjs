// Pages that the program itself writes: runs, a sweep, the catalogue. Needs FTSIM, the program.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { launch, shot } from './page.mjs';

const program = process.env.FTSIM;
const root = fileURLToPath(new URL('../../..', import.meta.url));
const options = { skip: program ? false : 'FTSIM is not set' };
let browser;
let folder;
const ftsim = (...args) => execFileSync(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
const scenario = (name) => join('scenarios', `${name}.toml`);

before(async () => {
  if (!program) return;
  browser = await launch();
  folder = mkdtempSync(join(tmpdir(), 'ftsim-pages-'));
});
after(async () => {
  await browser?.close();
  if (folder) rmSync(folder, { recursive: true });
});

/** Opens a file; whatever it does must do without errors and without leaving the disk. */
async function open(file, settings = {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...settings });
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(message.text()));
  page.on('request', (request) => request.url().startsWith('file:') || wrong.push(request.url()));
  await page.goto(pathToFileURL(file).href);
  return { page, wrong };
}

/** The words of each drawing that cover others, or leave their drawing. */
const collisions = (page) =>
  page.evaluate(() => {
    const found = [];
    for (const drawing of document.querySelectorAll('svg.run-drawing, svg.curve')) {
      const frame = drawing.getBoundingClientRect();
      const words = [...drawing.querySelectorAll('text')].filter((text) => text.textContent.trim() !== '');
      const boxes = words.map((text) => [text.textContent, text.getBoundingClientRect()]);
      boxes.forEach(([text, box], index) => {
        if (box.right > frame.right + 3 || box.left < frame.left - 3) found.push(`${text} leaves its drawing`);
        for (const [other, place] of boxes.slice(index + 1)) {
          const width = Math.min(box.right, place.right) - Math.max(box.left, place.left);
          const height = Math.min(box.bottom, place.bottom) - Math.max(box.top, place.top);
          if (width > 3 && height > 5) found.push(`${text} covers ${other}`);
        }
      });
    }
    return found;
  });

test('runs open as the program writes them', options, async () => {
  for (const name of ['split-brain-one-way', '2pc-blocked', 'oral-messages-n-3', 'phase-king-twins', 'uniform-rb-majority-lost']) {
    const file = join(folder, `${name}.html`);
    ftsim('replay', scenario(name), '--seed', '1', '--html', file);
    const { page, wrong } = await open(file);
    await page.waitForFunction(() => window.ftsimViewer);
    const data = JSON.parse(await page.locator('#data').textContent());
    const opened = page.url();
    await page.keyboard.press('Escape');
    const { arrows } = await page.evaluate(() => window.ftsimViewer.counts());
    assert.equal(arrows, data.messages.from.length, name);
    assert.ok(arrows > 3, name);
    await page.goto(opened);
    await shot(page, `program-${name}`);
    assert.deepEqual(wrong, [], name);
    await page.close();
  }
});

/** Checks the tables and plots of a page of a sweep. */
async function checkSections(page) {
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  assert.ok(await fits(), 'the page is too wide');
  assert.ok((await page.locator('svg.curve').count()) > 6);
  assert.ok((await page.locator('.struck tbody tr').count()) > 4);
  // A cell leads to its scenario.
  const [link] = await page.locator('.matrix td a').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
  assert.equal(await page.locator(`article.scenario${link}`).count(), 1);
  // In a narrow window the tables scroll, not the page, and the names of scenarios stay.
  const size = page.viewportSize();
  await page.setViewportSize({ width: 420, height: 900 });
  assert.ok(await fits(), 'the page is too wide for a narrow window');
  const moved = await page.locator('.matrix').first().evaluate((matrix) => {
    const left = () => matrix.querySelector('tbody th').getBoundingClientRect().left;
    const before = left();
    matrix.scrollLeft = 200;
    const moved = [matrix.scrollLeft, left() - before];
    matrix.scrollLeft = 0;
    return moved;
  });
  assert.deepEqual(moved, [200, 0]);
  await page.setViewportSize(size);
}

test('a sweep has its page', options, async () => {
  const results = join(folder, 'sweep');
  const names = ['eager-rb-crashes', 'split-brain-one-way', 'lamport-tom-one-crash', 'primary-backup-timeout-crashes'];
  ftsim('sweep', ...names.map(scenario), '--seeds', '1..101', '--out', results, '--shrink', '5s');
  const file = join(folder, 'sweep.html');
  ftsim('report', results, '-o', file);
  for (const colorScheme of ['light', 'dark']) {
    const { page, wrong } = await open(file, { colorScheme });
    assert.match(await page.locator('h1').textContent(), /4 scenarios, 400 runs: all as expected/);
    assert.equal(await page.locator('article.scenario').count(), 4);
    await checkSections(page);
    assert.ok((await page.locator('article.failure svg.run-drawing').count()) >= 4);
    assert.deepEqual(await collisions(page), []);
    // The search for collisions finds one that is made.
    await page.evaluate(() => {
      const words = document.querySelector('svg.run-drawing text');
      words.parentNode.append(words.cloneNode(true));
    });
    assert.notDeepEqual(await collisions(page), []);
    const link = await page.locator('figcaption a').first().getAttribute('href');
    assert.ok(readFileSync(join(folder, link), 'utf8').startsWith('<!DOCTYPE html>'));
    await shot(page, `program-sweep-${colorScheme}`);
    for (const part of ['curves', 'struck']) {
      await page.locator(`.${part}`).first().evaluate((element) => scrollTo(0, element.getBoundingClientRect().top + scrollY - 80));
      await shot(page, `program-sweep-${part}-${colorScheme}`);
    }
    assert.deepEqual(wrong, []);
    await page.close();
  }
});

test('each protocol has its page, on which no words cover others', options, async () => {
  const catalogue = join(folder, 'catalogue');
  ftsim('list', '--html', catalogue);
  const pages = readdirSync(catalogue).filter((name) => name.endsWith('.html'));
  assert.ok(pages.length > 20);
  for (const name of pages) {
    const { page, wrong } = await open(join(catalogue, name));
    assert.deepEqual(await collisions(page), [], name);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} is too wide`);
    if (['uniform-rb.html', 'index.html'].includes(name)) await shot(page, `program-${name.replace('.html', '')}`);
    assert.deepEqual(wrong, [], name);
    await page.close();
  }
});
