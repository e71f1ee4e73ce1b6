import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, open, shot, writePage } from './page.mjs';
import { broadcast, bustle, hostile, pair } from './runs.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** Opens a run, and in the end asserts that the page complained of nothing and asked for nothing. */
async function visit(name, run, act, { hash = '', ...options } = {}) {
  const { page, errors, requests } = await open(browser, writePage(name, run) + hash, options);
  try {
    await act(page);
    assert.deepEqual(errors, []);
    assert.deepEqual(requests, []);
  } finally {
    await page.close();
  }
}
const counts = (page) => page.evaluate(() => window.ftsimViewer.counts());
const view = (page) => page.evaluate(() => {
  const now = window.ftsimViewer.view();
  return { ...now, hiddenLanes: [...now.hiddenLanes], hiddenKinds: [...now.hiddenKinds] };
});
const place = (page, step) => page.evaluate((index) => window.ftsimViewer.place(index), step);
const click = async (page, step, options) => {
  const { x, y } = await place(page, step);
  await page.mouse.move(x, y);
  if (options?.shift) await page.keyboard.down('Shift');
  await page.mouse.click(x, y, { clickCount: options?.count ?? 1 });
  if (options?.shift) await page.keyboard.up('Shift');
};

test('every message has an arrow, every step a mark', () => visit('arrows', broadcast(), async (page) => {
  const { arrows, steps } = await counts(page);
  assert.equal(arrows, broadcast().messages.length);
  assert.equal(steps, broadcast().steps.length);
}));

test('it opens on the violation, and Esc shows the whole run', () => visit('opens', bustle({ steps: 300 }), async (page) => {
  const [, until] = await page.evaluate(() => window.ftsimViewer.window());
  assert.ok(until < 150, `the window ends at ${until}`);
  assert.ok((await counts(page)).emphasised > 0);
  await page.keyboard.press('Escape');
  const [from, end] = await page.evaluate(() => window.ftsimViewer.window());
  assert.ok(from < 1 && end > 299);
  assert.equal((await counts(page)).emphasised, 0);
}));

test('a click selects, and its causal past and future stand out', () => visit('click', broadcast(), async (page) => {
  await click(page, 5);
  assert.deepEqual((await view(page)).selected, { what: 'step', index: 5 });
  assert.match(await page.locator('.inspector h2').innerText(), /p1 step 6/);
  assert.match(await page.locator('.inspector .changed').first().innerText(), /delivered\s+\{\} → \{m0\}/);
  // All but the crash, the network, and the start of a process that hears of nothing before.
  assert.equal((await counts(page)).emphasised, broadcast().steps.length - 3);
  assert.match(await page.locator('[aria-live=polite].offscreen').innerText(), /^Step 6 at 3.2ms: p1 delivers Data\(m0\) from p0/);
  await page.locator('.causes .link').first().click();
  assert.equal((await view(page)).selected.index, 4);
}));

test('a double click isolates the past, Esc brings the rest back', () => visit('isolate', broadcast(), async (page) => {
  await click(page, 5, { count: 2 });
  assert.equal((await counts(page)).steps, 4);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  assert.equal((await counts(page)).steps, broadcast().steps.length);
}));

test('shift-click measures', () => visit('measure', broadcast(), async (page) => {
  await click(page, 4);
  await click(page, 8, { shift: true });
  assert.equal(await page.locator('.measure').innerText(), 'From step 5 to step 9: 4 steps, 7ms; step 5 led to step 9.');
}));

test('the slider shows the states at its position', () => visit('slider', broadcast(), async (page) => {
  await page.locator('input[type=range]').fill('4');
  assert.equal((await view(page)).position, 4);
  assert.match(await page.locator('.states .at').innerText(), /After step 5, at 1ms/);
  assert.match(await page.locator('.card').nth(1).innerText(), /delivered\s+\{\}/);
  await page.getByLabel('Next step').click();
  assert.match(await page.locator('.card').nth(1).innerText(), /delivered\s+\{m0\}/);
}));

test('processes and kinds of messages can be hidden; hidden processes are bridged', () => visit('filter', bustle({ steps: 200 }), async (page) => {
  const whole = await counts(page);
  await page.locator('.menu summary').click();
  await page.locator('.menu input').nth(2).uncheck();
  const fewer = await counts(page);
  assert.ok(fewer.steps < whole.steps && fewer.arrows < whole.arrows && fewer.bridges > 0);
  await page.locator('.menu input').nth(2).check();
  await page.keyboard.press('Escape');
  await page.locator('.kind').first().click();
  const count = Number(await page.locator('.kind .count').first().innerText());
  assert.equal((await counts(page)).arrows, whole.arrows - count);
}));

test('the search finds words, and causes of words', () => visit('search', broadcast(), async (page) => {
  await page.keyboard.press('/');
  await page.keyboard.type('suspects');
  assert.equal(await page.locator('.found').innerText(), '2 matches');
  assert.equal((await counts(page)).emphasised, 2);
  await page.keyboard.press('Enter');
  assert.equal((await view(page)).selected.index, 8);
  await page.locator('input[type=search]').fill('Broadcast before suspects');
  assert.equal(await page.locator('.found').innerText(), '3 matches');
  await page.getByText('Only matches').click();
  assert.equal((await counts(page)).steps, 3);
}));

test('keys step along processes, messages and the story', () => visit('keys', broadcast(), async (page) => {
  const at = async (key) => { await page.keyboard.press(key); return (await view(page)).selected?.index; };
  assert.equal(await at(']'), 4);
  assert.equal(await at('ArrowDown'), 5);
  assert.equal(await at('ArrowRight'), 6);
  assert.equal(await at('ArrowLeft'), 5);
  assert.equal(await at('ArrowUp'), 4);
  assert.equal(await at(']'), 5);
  assert.equal(await at('['), 4);
  await page.keyboard.press('t');
  assert.equal((await view(page)).axis, 'time');
  await page.keyboard.press('f');
  assert.equal((await view(page)).folded, true);
  assert.ok((await counts(page)).steps < broadcast().steps.length);
  await page.keyboard.press('?');
  assert.ok(await page.locator('dialog.help').isVisible());
  await page.keyboard.press('Escape');
  assert.ok(!(await page.locator('dialog.help').isVisible()));
}));

test('rows of the story and events are in step', () => visit('story', broadcast(), async (page) => {
  await page.locator('.row').nth(1).click();
  assert.equal((await view(page)).selected.index, 5);
  assert.equal(await page.locator('.row').nth(1).getAttribute('aria-current'), 'true');
  assert.equal(await page.locator('.story ol > li').count(), 5);
}));

test('dark and light are both there, and can be switched', () => visit('dark-test', broadcast(), async (page) => {
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(await paper(), 'rgb(20, 23, 27)');
  await page.keyboard.press('d');
  assert.equal(await paper(), 'rgb(255, 255, 255)');
}, { colorScheme: 'dark' }));

test('the address keeps the place', () => visit('address', broadcast(), async (page) => {
  assert.deepEqual((await view(page)).selected, { what: 'step', index: 5 });
  assert.deepEqual((await view(page)).hiddenLanes, [2]);
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => location.hash.includes('step=7'));
  await page.evaluate(() => { location.hash = '#step=2'; });
  await page.waitForFunction(() => window.ftsimViewer.view().selected?.index === 1);
  assert.deepEqual((await view(page)).hiddenLanes, []);
}, { hash: '#step=6&hide=2' }));

test('wheel and drag move the window', () => visit('zoom', bustle({ steps: 300, violated: false }), async (page) => {
  const width = async () => { const [from, until] = await page.evaluate(() => window.ftsimViewer.window()); return until - from; };
  const whole = await width();
  await page.mouse.move(800, 300);
  await page.mouse.wheel(0, -600);
  const zoomed = await width();
  assert.ok(zoomed < whole / 1.5);
  const [start] = await page.evaluate(() => window.ftsimViewer.window());
  await page.mouse.down();
  await page.mouse.move(700, 300, { steps: 4 });
  await page.mouse.up();
  const [moved] = await page.evaluate(() => window.ftsimViewer.window());
  assert.ok(moved > start);
  const { x, y, width: across } = await page.locator('.minimap').boundingBox();
  await page.mouse.click(x + across * 0.1, y + 20);
  assert.ok((await page.evaluate(() => window.ftsimViewer.window()))[0] < moved);
}));

test('pointing at a mark shows its whole text', () => visit('tooltip', broadcast(), async (page) => {
  const { x, y } = await place(page, 5);
  await page.mouse.move(x, y);
  assert.match(await page.locator('.tooltip').innerText(), /sends Ack\(m0\) to p0/);
  const [a, b] = [await place(page, 4), await place(page, 5)];
  await page.mouse.move((a.x + b.x) / 2, (a.y + b.y) / 2);
  assert.match(await page.locator('.tooltip').innerText(), /Data\(m0\)\s+delivered in step 6 after 2.2ms/);
}));

test('what the page does not show is said, and no old state stands for a state that is left out', () => {
  const run = broadcast();
  run.about.notices = ['From step 8 on, no states are shown.'];
  run.about.states_end = 8;
  return visit('notice', run, async (page) => {
    assert.equal(await page.locator('.notice').innerText(), run.about.notices[0]);
    const told = async (position) => {
      await page.locator('input[type=range]').fill(String(position));
      return page.locator('.card').nth(1).innerText();
    };
    assert.match(await told(6), /delivered\s+\{m0\}/);
    assert.match(await told(7), /No state is recorded/);
  });
});

test('the command is copied', () => visit('copy', broadcast(), async (page) => {
  await page.keyboard.press('c');
  await page.waitForFunction(() => /Copied|failed/.test(document.querySelector('.copy').textContent));
}));

test('hostile texts are inert', () => visit('hostile', hostile(), async (page) => {
  assert.equal(await page.evaluate(() => window.broken), undefined);
  assert.equal(await page.locator('#app script, #app img').count(), 0);
  for (const key of [']', ']', 'ArrowDown', 't', 'f']) await page.keyboard.press(key);
  assert.ok(!(await page.locator('#app').innerText()).includes('\u202e'));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.equal(wide, 0);
  assert.ok((await page.locator('.header').boundingBox()).height < 160);
}));

test('controls have names', () => visit('names', broadcast(), async (page) => {
  const nameless = await page.evaluate(() => [...document.querySelectorAll('button, input, summary, [tabindex]')]
    .filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim() || one.closest('label')))
    .map((one) => one.outerHTML));
  assert.deepEqual(nameless, []);
}));

test('nothing overflows at 900 pixels', () => visit('narrow-test', bustle({ steps: 200, roles: true }), async (page) => {
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  const { width, height } = await page.locator('.canvas').boundingBox();
  assert.ok(width > 500 && height > 150);
  await page.keyboard.press('s');
  assert.ok((await page.locator('.canvas').boundingBox()).width > width);
}, { viewport: { width: 900, height: 700 } }));

test('20,000 steps open soon and move smoothly (figures only)', async (t) => {
  const run = bustle({ steps: 20_000, lanes: 7 });
  const url = writePage('many', run);
  const { page, errors } = await open(browser, url);
  const opened = await page.evaluate(() => window.ftsimViewer.opened);
  const { size } = statSync(new URL(url));
  t.diagnostic(`opens in ${Math.round(opened)} ms, ${(size / 1e6).toFixed(1)} MB, ${run.messages.length} messages`);
  assert.ok(size < 5e6);
  for (const [name, from, until] of [['whole', 0, 20_000], ['5,000 steps', 5000, 10_000], ['1,000 steps', 5000, 6000], ['100 steps', 5000, 5100]]) {
    const fps = await page.evaluate(async ([start, end]) => {
      if (start === 0) document.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      const begin = performance.now();
      const count = 20;
      for (let index = 0; index < count; index++) {
        const shift = ((end - start) / 100) * index;
        window.ftsimViewer.show(start + shift, end + shift);
        await frame();
      }
      return { fps: (count * 1000) / (performance.now() - begin), paint: window.ftsimViewer.paint().last };
    }, [from, until]);
    t.diagnostic(`${name}: ${fps.fps.toFixed(0)} frames a second, ${fps.paint.toFixed(1)} ms to draw`);
  }
  await page.evaluate(() => window.ftsimViewer.show(0, 21_000));
  await page.waitForTimeout(200);
  await shot(page, 'many');
  assert.deepEqual(errors, []);
  await page.close();
});

test('the axis turns, with and without motion, and what was seen stays in sight', () => visit('turn', bustle({ steps: 300 }), async (page) => {
  const seen = () => page.evaluate(() => {
    const [from, until] = window.ftsimViewer.window();
    return [0, 10, 20, 30].map((step) => window.ftsimViewer.place(step).x).every((x) => x > 300 && x < innerWidth) && until > from;
  });
  await page.evaluate(() => window.ftsimViewer.show(0, 40));
  assert.ok(await seen());
  await page.keyboard.press('t');
  await page.waitForTimeout(900);
  assert.ok(await seen());
  await page.keyboard.press('t');
  await page.waitForTimeout(900);
  assert.ok(await seen());
}, { reducedMotion: 'no-preference' }));

test('a run without steps, processes or story is no failure', () => visit('empty', { ...broadcast(), lanes: [], steps: [], messages: [], bands: [], story: null, verdicts: [], texts: [] }, async (page) => {
  assert.equal((await counts(page)).steps, 0);
  for (const key of ['ArrowRight', ']', 't', 'f', 'v', '.', 'Escape']) await page.keyboard.press(key);
  await page.mouse.move(700, 300);
}));

const both = (page, read) => page.evaluate((name) => window.ftsimViewer.panels.map((panel) => {
  const { selected, position, axis, hiddenKinds } = panel.view();
  return { selected: selected?.index ?? null, position, axis, hidden: hiddenKinds.size, window: panel.window(), ...panel.counts() }[name];
}), read);

test('two runs are drawn one above the other, and what they share is pale', () => visit('pair', pair(), async (page) => {
  const { runs, pair: { agree } } = pair();
  assert.deepEqual(await both(page, 'steps'), runs.map((run) => run.steps.length));
  assert.deepEqual(await both(page, 'emphasised'), runs.map((run) => run.steps.length - agree));
  const boxes = await Promise.all([0, 1].map((side) => page.locator('.canvas').nth(side).boundingBox()));
  assert.ok(boxes[0].x === boxes[1].x && boxes[0].width === boxes[1].width && boxes[0].y < boxes[1].y);
  assert.equal(await page.locator('.header h1').nth(1).innerText(), 'paxos/bustle-other.toml');
  assert.match(await page.locator('.comparison').innerText(), new RegExp(`The first ${agree} steps are the same[^]*consensus.validity A: held, B: violated`));
  // The same step lies at the same place in both, and is in sight.
  const places = await page.evaluate((step) => window.ftsimViewer.panels.map((panel) => panel.place(step).x), agree);
  assert.ok(places[0] === places[1] && places[0] > 300 && places[0] < 1440);
}));

test('what is selected in one run is selected in the other, as long as they agree', () => visit('pair-select', pair(), async (page) => {
  const { agree } = pair().pair;
  await page.evaluate((step) => window.ftsimViewer.panels[1].select({ what: 'step', index: step }), agree - 2);
  assert.deepEqual(await both(page, 'selected'), [agree - 2, agree - 2]);
  await page.locator('.comparison .side').nth(1).click();
  assert.deepEqual(await both(page, 'selected'), [agree, agree]);
  assert.equal(await page.locator('.inspector h2').count(), 2);
  await page.evaluate((step) => window.ftsimViewer.panels[0].select({ what: 'step', index: step }), agree + 20);
  assert.deepEqual(await both(page, 'selected'), [agree + 20, null]);
  const { runs } = pair();
  const [, position] = await both(page, 'position');
  assert.ok(runs[1].steps[position].at <= runs[0].steps[agree + 20].at);
  assert.ok(runs[1].steps[position + 1].at > runs[0].steps[agree + 20].at);
}));

test('two runs move, turn and are filtered together', () => visit('pair-move', pair(), async (page) => {
  const isSame = async () => { const [a, b] = await both(page, 'window'); assert.deepEqual(a.map((x) => x.toFixed(6)), b.map((x) => x.toFixed(6))); return a; };
  const start = await isSame();
  const { x, y } = await page.locator('.canvas').nth(1).boundingBox();
  await page.mouse.move(x + 500, y + 100);
  await page.mouse.wheel(0, -400);
  const zoomed = await isSame();
  assert.ok(zoomed[1] - zoomed[0] < (start[1] - start[0]) * 0.8);
  await page.mouse.down();
  await page.mouse.move(x + 350, y + 100, { steps: 3 });
  await page.mouse.up();
  assert.ok((await isSame())[0] > zoomed[0]);
  await page.keyboard.press('t');
  assert.deepEqual(await both(page, 'axis'), ['time', 'time']);
  await isSame();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await isSame();
  // By time, one instant lies at one place, whichever run it is in.
  const { runs } = pair();
  const places = await page.evaluate(() => window.ftsimViewer.panels.map((panel) => [panel.place(0).x, panel.place(89).x]));
  const perNano = places.map(([from, until], side) => (until - from) / (runs[side].steps[89].at - runs[side].steps[0].at));
  assert.ok(Math.abs(perNano[0] / perNano[1] - 1) < 1e-6);
  await page.keyboard.press('f');
  await isSame();
  await page.locator('.toolbar:not([hidden]) .kind').first().click();
  assert.deepEqual(await both(page, 'hidden'), [1, 1]);
}));

test('keys change over to the other run, and the address keeps which it is', () => visit('pair-keys', pair(), async (page) => {
  const { agree } = pair().pair;
  assert.deepEqual(await both(page, 'selected'), [null, 49]);
  assert.ok(await page.locator('#diagramB').evaluate((one) => one.classList.contains('is-active')));
  await page.keyboard.press('o');
  await page.keyboard.press(']');
  assert.deepEqual(await both(page, 'selected'), [agree, agree]);
  await page.waitForFunction((step) => location.hash.includes(`step=${step}`) && !location.hash.includes('run=B'), agree + 1);
  await page.keyboard.press('o');
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => location.hash.includes('run=B'));
  const [a, b] = await both(page, 'selected');
  assert.ok(a === null && b > agree);
}, { hash: '#step=50&run=B' }));

test('a pair has names, fits, and turns dark', () => visit('pair-narrow-test', pair(), async (page) => {
  const nameless = await page.evaluate(() => [...document.querySelectorAll('button, input, summary, [tabindex]')]
    .filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim() || one.closest('label')))
    .map((one) => one.outerHTML));
  assert.deepEqual(nameless, []);
  const labels = await page.evaluate(() => [...document.querySelectorAll('section[aria-label], [role=application], [role=scrollbar]')].map((one) => one.getAttribute('aria-label')));
  assert.equal(new Set(labels).size, labels.length);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  for (const side of [0, 1]) assert.ok((await page.locator('.canvas').nth(side).boundingBox()).height > 120);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(20, 23, 27)');
}, { viewport: { width: 900, height: 700 }, colorScheme: 'dark' }));

test('runs that are the same, that differ in a delay, or that end early are told as such', async () => {
  const [run] = pair().runs;
  const same = { runs: [run, run], pair: { command: '', agree: run.steps.length, first: [null, null] } };
  await visit('pair-same', same, async (page) => {
    assert.match(await page.locator('.comparison h2').innerText(), /are the same/);
    for (const key of [']', 'o', 't', 'f', 'v', '.', 'Escape', 'Escape']) await page.keyboard.press(key);
  });
  const empty = { ...run, steps: [], messages: [], bands: [] };
  const early = { runs: [empty, run], pair: { command: '', agree: 0, first: [null, { step: 0, part: 0 }] } };
  await visit('pair-early', early, async (page) => {
    assert.match(await page.locator('.comparison').innerText(), /has ended/);
    for (const key of [']', 'o', ']', 't', 'f', 'v', '.', 'Escape', 'Escape']) await page.keyboard.press(key);
  });
  const late = broadcast();
  late.messages[0].heard = [];
  const sent = { step: 4, part: 1 };
  await visit('pair-alike', { runs: [broadcast(), late], pair: { command: '', agree: 4, first: [sent, sent] } }, async (page) => {
    const told = await page.locator('.comparison .side').allInnerTexts();
    assert.match(told[0], /sends Data\(m0\) to p1: delivered in step 6/);
    assert.match(told[1], /sends Data\(m0\) to p1: still under way/);
  });
  const nasty = { runs: [hostile(), hostile()], pair: { command: '<b>', agree: 3, first: [{ step: 3, part: 0 }, { step: 4, part: 9 }] } };
  await visit('pair-hostile', nasty, async (page) => {
    assert.equal(await page.evaluate(() => window.broken), undefined);
    assert.equal(await page.locator('#app script, #app img').count(), 0);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  });
});

test('data that cannot be read is told', async () => {
  const { page } = await open(browser, writePage('broken', '{"version":9}'));
  assert.match(await page.locator('.failure').innerText(), /cannot be drawn.*version 1/);
  await page.close();
});
