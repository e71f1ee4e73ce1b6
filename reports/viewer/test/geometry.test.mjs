import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { pack } from './pack.mjs';
import { broadcast, bustle } from './runs.mjs';

let own;
const load = async (name) => {
  const outfile = join(mkdtempSync(join(tmpdir(), 'viewer-')), `${name}.mjs`);
  buildSync({ entryPoints: [new URL(`../src/${name}.ts`, import.meta.url).pathname], bundle: true, format: 'esm', outfile, logLevel: 'error' });
  return import(pathToFileURL(outfile).href);
};
before(async () => {
  const names = ['run', 'axis', 'rows', 'arrows', 'causality', 'lanes', 'bands', 'words', 'query', 'sentence', 'address', 'data'];
  own = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await load(name)])));
});
const all = (count) => new Uint8Array(count).fill(1);

test('by step, neighbours are one unit apart, and what is hidden takes no room', () => {
  const steps = [0, 10, 11, 5000].map((at) => ({ at }));
  const shown = all(4);
  const axis = new own.axis.Axis(steps, shown, 0);
  assert.deepEqual([1, 2, 3].map((i) => Math.round((axis.at[i] - axis.at[i - 1]) * 1e9) / 1e9), [1, 1, 1]);
  shown[1] = 0;
  const fewer = new own.axis.Axis(steps, shown, 0);
  assert.ok(Math.abs(fewer.at[2] - fewer.at[0] - 1) < 1e-9);
  assert.ok(fewer.at[0] < fewer.at[1] && fewer.at[1] < fewer.at[2]);
});

test('by time, places are true to scale, and both axes are equally long', () => {
  const steps = [0, 10, 20, 40].map((at) => ({ at }));
  const axis = new own.axis.Axis(steps, all(4), 1);
  const [a, b, c, d] = axis.at;
  assert.ok(Math.abs((b - a) / (d - a) - 0.25) < 1e-9 && Math.abs((c - a) / (d - a) - 0.5) < 1e-9);
  assert.ok(Math.abs(axis.timeOf(axis.ofTime(33)) - 33) < 1e-9);
  assert.ok(Math.abs(d - new own.axis.Axis(steps, all(4), 0).at[3]) < 1e-9);
});

test('lanes of a role stand together, and hidden ones take no room', () => {
  const lanes = ['a', 'b', 'a'].map((role, p) => ({ name: `p${p}`, role }));
  const rows = own.rows.stack(lanes, new Set(), false, 400);
  assert.deepEqual(rows.order, [0, 2, 1]);
  assert.deepEqual(rows.headings.map((heading) => heading.text), ['a', 'b']);
  const fewer = own.rows.stack(lanes, new Set([2]), true, 400);
  assert.deepEqual(fewer.order, [0, 1]);
  assert.ok(Number.isNaN(fewer.y[2]));
  assert.ok(fewer.network > 0);
});

test('a segment crosses the boxes that it touches', () => {
  const line = { x0: 0, y0: 0, x1: 10, y1: 10 };
  assert.ok(own.arrows.crosses(line, 4, 4, 6, 6));
  assert.ok(own.arrows.crosses(line, -1, -1, 1, 1));
  assert.ok(!own.arrows.crosses(line, 6, 0, 9, 3));
  assert.ok(!own.arrows.crosses({ x0: 5, y0: 0, x1: 5, y1: 2 }, 6, 0, 9, 3));
  assert.equal(own.arrows.distance(5, 9, { x0: 0, y0: 5, x1: 10, y1: 5 }), 4);
});

test('every message has an arrow, and a hidden process is bridged', () => {
  const run = new own.run.Run(broadcast());
  const arrows = own.arrows.arrowsOf(run, all(run.steps.length), new Set(), new Set());
  assert.deepEqual(arrows.map((arrow) => arrow.message).sort((a, b) => a - b), run.messages.map((_, index) => index));
  assert.deepEqual(new Set(arrows.map((arrow) => arrow.end)), new Set(['heard', 'lost', 'flying']));
  const big = new own.run.Run(bustle({ steps: 300 }));
  const shown = Uint8Array.from(big.steps, (step) => Number(step.lane !== 2));
  const bridged = own.arrows.arrowsOf(big, shown, new Set([2]), new Set());
  assert.ok(bridged.some((arrow) => arrow.end === 'bridge'));
  assert.ok(bridged.every((arrow) => arrow.fromLane !== 2 && arrow.toLane !== 2));
});

test('past and future follow causes and lanes', () => {
  const steps = [{}, {}, { before: 0 }, { before: 1, cause: 2 }, { before: 2 }];
  assert.deepEqual([...own.causality.past(steps, [3])], [1, 1, 1, 1, 0]);
  assert.deepEqual([...own.causality.future(steps, [0])], [1, 0, 1, 1, 1]);
  assert.equal(own.causality.relation(steps, 3, 4), 'concurrent');
  assert.equal(own.causality.relation(steps, 0, 3), 'before');
  assert.equal(own.causality.relation(steps, 3, 0), 'after');
});

test('a lane changes its look with what happens to its process', () => {
  const bands = [{ what: 'byzantine', lanes: [0], from: 1 }, { what: 'down', lanes: [0], from: 2, until: 4 }];
  const made = own.lanes.stretches(bands, (step) => step, 0, 6);
  assert.deepEqual(made.map(({ from, look }) => [from, look]), [[0, 'up'], [1, 'byzantine'], [2, 'down'], [4, 'byzantine']]);
});

test('a partition has sides', () => {
  assert.deepEqual(own.bands.sidesOf('partition {p0 p3} | {p1} | the others', 5), [0, 1, 2, 0, 2]);
  assert.equal(own.bands.sidesOf('slow links', 3), null);
});

test('words are calm, short, and hide nothing', () => {
  const { calm, calmParts, shortened, visible, duration, brief, listed } = own.words;
  assert.equal(calm('ANNOUNCES deliver m0'), 'announces deliver m0');
  assert.equal(calm('TURNS BYZANTINE: lies'), 'turns Byzantine: lies');
  assert.equal(visible('a\u202eb'), 'a⟨202E⟩b');
  assert.equal(shortened('x'.repeat(10_000), 20).length, 20);
  assert.deepEqual([0, 999, 1500, 12_345_678, 2e9].map(duration), ['0s', '999ns', '1.5us', '12.35ms', '2s']);
  assert.equal(calmParts('DECIDES 1; sends Data(TCP) to p1 (LOST to p2: link cut)'), 'decides 1; sends Data(TCP) to p1 (lost to p2: link cut)');
  assert.deepEqual(['Begin(1)', 'Applied(Command { client: p2 })', '{p1}'].map(brief), ['Begin(1)', 'Applied', '{p1}']);
  assert.equal(listed(['p0', 'p1', 'p2']), 'p0, p1 and p2');
});

test('a step is a sentence', () => {
  const run = new own.run.Run(broadcast());
  assert.equal(own.sentence.sentence(run, 5), 'p1 delivers Data(m0) from p0; announces deliver m0 from p0; logs m0; syncs its log and waits; sets timer Retry for 9ms; sends Ack(m0) to p0');
  assert.match(own.sentence.fate(run, 1), /^lost at 1ms: the sender crashed/);
});

test('“A before B” finds causes and their effects', () => {
  const run = new own.run.Run(broadcast());
  const { order } = own.query.matching(run, own.query.parseQuery('Broadcast before suspects'));
  assert.deepEqual(order, [4, 8, 11]);
  assert.deepEqual(own.query.matching(run, own.query.parseQuery('violates')).order, [13]);
});

test('the address keeps the view', () => {
  const run = new own.run.Run(broadcast());
  const { view, window } = own.address.readAddress('#step=6&axis=time&hide=1,99&window=2,9.5', run);
  assert.deepEqual(view, { selected: { what: 'step', index: 5 }, position: 5, axis: 'time', hiddenLanes: new Set([1]) });
  assert.deepEqual(window, [2, 9.5]);
  const full = { measured: null, isolated: null, folded: false, hiddenKinds: new Set(), query: '', onlyMatches: false, onStory: true, ...view };
  assert.equal(own.address.writeAddress(full, window, run), '#step=6&axis=time&hide=1&window=2,9.5');
  assert.deepEqual(own.address.readAddress('#step=nonsense&window=9,2', run), { view: {}, window: null });
});

test('a seed keeps all its digits', () => {
  const json = JSON.stringify(pack([broadcast()])).replace('"seed":17', '"seed":18446744073709551615');
  assert.equal(own.data.readPage(json).runs[0].about.seed, '18446744073709551615');
});

test('a run in columns is read as it was', () => {
  for (const run of [broadcast(), bustle({ steps: 300 })]) {
    const json = JSON.stringify(pack([run]));
    const [read] = own.data.readPage(json).runs;
    const told = ({ steps, messages, bands, texts }) => JSON.stringify({
      steps: steps.map((step) => [step.number, step.at, step.lane ?? null, step.before ?? null, step.cause ?? null, (step.state ?? []).map((pair) => pair.map((id) => texts[id])),
        step.parts.map((part) => [part.event, texts[part.text], part.message ?? null])]),
      messages: messages.map((message) => [message.from, message.to, texts[message.kind], texts[message.text], message.sent ?? null, message.heard, message.arrives ?? null,
        message.lost ? [message.lost.at, message.lost.after, texts[message.lost.reason]] : null, Boolean(message.late), Boolean(message.changed), Boolean(message.replayed)]),
      bands: bands.map((band) => [band.what, texts[band.text], band.lanes, band.from, band.until ?? null]),
    });
    assert.equal(told(read), told(run));
  }
});

test('data of another version is refused', () => {
  assert.throws(() => own.data.readPage('{"version":2}'), /version 1/);
});
