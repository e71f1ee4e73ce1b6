import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { pack } from './pack.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Writes a page as the program does: self-contained, with a policy that allows only what is in it. */
export function writePage(name, run) {
  const script = readFileSync(here('../dist/viewer.js'), 'utf8');
  const style = readFileSync(here('../dist/viewer.css'), 'utf8');
  const json = (typeof run === 'string' ? run : JSON.stringify(run.runs ? pack(run.runs, run.pair) : pack([run]))).replaceAll('<', '\\u003c');
  const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`;
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="viewport" content="width=device-width">
<title>A run</title><style>${style}</style></head>
<body><div id="app"></div><script id="data" type="application/json">${json}</script><script>${script}</script></body></html>`;
  mkdirSync(here('../pages'), { recursive: true });
  const path = here(`../pages/${name}.html`);
  writeFileSync(path, page);
  return pathToFileURL(path).href;
}

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

/** Opens a page, and notes its errors and requests. */
export async function open(browser, url, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', ...options });
  const [errors, requests] = [[], []];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && errors.push(message.text()));
  page.on('request', (request) => request.url().startsWith('file:') || requests.push(request.url()));
  await page.goto(url);
  await page.waitForFunction(() => window.ftsimViewer || document.querySelector('.failure'));
  return { page, errors, requests };
}

export const shot = (page, name) => {
  mkdirSync(here('../shots'), { recursive: true });
  return page.screenshot({ path: here(`../shots/${name}.png`) });
};
