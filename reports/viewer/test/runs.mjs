// Runs for tests, drawn from a seed. They obey the rules of the data, but no protocol.

/** Collects a diagram. */
class Draft {
  constructor(lanes, about) {
    this.lanes = lanes;
    this.about = { scenario: 'test/run.toml', summary: null, protocol: 'test', problem: 'test', mutant: null,
      seed: 17, events: 0, ended: 'quiet', digest: '00c0ffee', command: 'ftsim run test/run.toml --seed 17',
      truncated: false, ...about };
    this.steps = []; this.messages = []; this.bands = []; this.texts = []; this.known = new Map();
    this.latest = new Map(); this.verdicts = []; this.story = null;
  }
  text(text) {
    if (!this.known.has(text)) { this.known.set(text, this.texts.length); this.texts.push(text); }
    return this.known.get(text);
  }
  step(lane, at, cause, parts = [], state = []) {
    const step = { number: this.steps.length + 1, at, parts: [] };
    if (lane !== null) step.lane = lane;
    if (this.latest.has(lane)) step.before = this.latest.get(lane);
    if (cause != null) step.cause = cause;
    if (state.length) step.state = state.map(([field, value]) => [this.text(field), this.text(value)]);
    const index = this.steps.push(step) - 1;
    this.latest.set(lane, index);
    for (const [event, text] of parts) this.part(index, event, text);
    return index;
  }
  part(step, event, text, message) {
    const part = { event, text: this.text(text) };
    if (message != null) part.message = message;
    this.steps[step].parts.push(part);
  }
  send(step, to, content, more = {}) {
    const from = this.steps[step].lane;
    const kind = this.text(/^\w*/.exec(content)[0]);
    const index = this.messages.push({ from, to, kind, text: this.text(content), sent: step, heard: [], ...more }) - 1;
    const lost = more.lost?.after === step;
    this.part(step, lost ? 'drop' : 'send', `${content} to ${this.lanes[to].name}`, index);
    return index;
  }
  hear(message, at, parts = [], state = []) {
    const { to, from, sent, text } = this.messages[message];
    const step = this.step(to, at, sent, [], state);
    this.part(step, 'deliver', `${this.texts[text]} from ${this.lanes[from].name}`, message);
    for (const [event, words] of parts) this.part(step, event, words);
    this.messages[message].heard.push(step);
    return step;
  }
  done() {
    const events = this.steps.reduce((sum, step) => sum + step.parts.length, 0);
    const { about, lanes, verdicts, steps, messages, bands, story, texts } = this;
    return { version: 1, about: { ...about, events }, lanes, verdicts, steps, messages, bands, story, texts };
  }
}

const ms = (n) => Math.round(n * 1e6);
const names = (count) => Array.from({ length: count }, (_, p) => ({ name: `p${p}`, role: null }));

/** A broadcast that reaches one of two processes: the smallest violation of agreement. */
export function broadcast() {
  const d = new Draft(names(3), { scenario: 'rb/eager-crash.toml', protocol: 'eager-broadcast', problem: 'reliable-broadcast',
    mutant: 'no-relay', summary: 'The sender crashes while it broadcasts.', command: 'ftsim run rb/eager-crash.toml --mutant no-relay --seed 17' });
  for (const p of [0, 1, 2]) d.step(p, 0, null, [['start', 'starts']], [['delivered', '{}'], ['relayed', '0'], ['clock', '0']]);
  const cut = d.step(null, ms(0.4), null, [['begins', 'BEGINS slow links from p2']]);
  d.bands.push({ what: 'condition', text: d.text('slow links from p2'), lanes: [2], from: cut });
  const asked = d.step(0, ms(1), null, [['request', 'is asked for Broadcast(m0)']], [['clock', '1']]);
  const one = d.send(asked, 1, 'Data(m0)');
  const two = d.send(asked, 2, 'Data(m0)', { lost: { at: ms(1), after: asked, reason: d.text('the sender crashed') } });
  d.part(asked, 'append', 'logs m0');
  d.part(asked, 'indicate', 'ANNOUNCES deliver m0 from p0');
  const hears = d.hear(one, ms(3.2), [['indicate', 'ANNOUNCES deliver m0 from p0'], ['append', 'logs m0'], ['sync-begins', 'syncs its log and waits']], [['delivered', '{m0}'], ['clock', '2']]);
  const ack = d.send(hears, 0, 'Ack(m0)');
  d.part(hears, 'set-timer', 'sets timer Retry for 9ms');
  const synced = d.step(1, ms(3.9), hears, [['synced', 'log is synced']]);
  const crash = d.step(0, ms(4.1), null, [['crash', 'CRASHES (the last effect of this handler is lost)']]);
  d.bands.push({ what: 'down', text: d.text('down'), lanes: [0], from: crash });
  d.messages[ack].lost = { at: ms(5.4), after: crash, reason: d.text('the receiver is down') };
  const beat = d.send(synced, 2, 'Heartbeat(1)', { late: true });
  d.step(1, ms(8), crash, [['suspect', 'suspects p0']], [['suspected', '{p0}']]);
  const retry = d.step(1, ms(9), hears, [['timer', 'timer Retry fires']], [['clock', '3']]);
  const again = d.send(retry, 2, 'Heartbeat(2)', { changed: true });
  const heard = d.hear(beat, ms(11), [], [['clock', '1']]);
  const reply = d.send(heard, 1, 'Ack(1)');
  d.hear(again, ms(12.4), [['suspect', 'suspects p0']], [['clock', '2']]);
  d.hear(reply, ms(13), [], [['clock', '4']]);
  const last = d.step(2, ms(20), null, [['timer', 'timer End fires'], ['violation', 'VIOLATES rb.agreement: p1 delivered m0, p2 never did']]);
  d.messages.push({ from: 1, to: 2, kind: d.text('Ack'), text: d.text('Ack(9)'), sent: retry, heard: [], arrives: ms(40) });
  d.part(retry, 'send', 'Ack(9) to p2', d.messages.length - 1);
  d.verdicts = [
    { property: 'rb.agreement', kind: 'safety', text: 'If a correct process delivers a message, all correct processes do.', verdict: 'violated', message: 'p1 delivered m0, p2 never did' },
    { property: 'rb.validity', kind: 'liveness', text: 'What a correct process broadcasts, it delivers.', verdict: 'held', message: null },
    { property: 'rb.no-creation', kind: 'safety', text: 'Only what was broadcast is delivered.', verdict: 'held', message: null },
    { property: 'rb.no-duplication', kind: 'safety', text: 'Nothing is delivered twice.', verdict: 'vacuous', message: null },
    { property: 'rb.termination', kind: 'liveness', text: 'Every run ends.', verdict: 'undecided', message: 'the run ended at its horizon' },
  ];
  const row = (steps, lane, at, text, standing = 'past') => ({ steps, lane, at, text, standing });
  d.story = { property: 'rb.agreement', message: 'p1 delivered m0, but p2 never did', roots: [hears, last],
    rows: [row([asked], 0, '1ms', 'is asked for Broadcast(m0) by a client; sends Data(m0) to p1 (LOST to p2: the sender crashed)'),
      row([hears], 1, '3.2ms', 'hears Data(m0), because p0 sent it in step 5 at 1ms; ANNOUNCES deliver m0'),
      row([crash], 0, '4.1ms', 'CRASHES: the last effect of this handler is lost', 'fault'),
      row([asked], 0, '1ms', 'sends Data(m0) (LOST to p2: the sender crashed)', 'missing'),
      row([last], 2, '20ms', 'its timer End fires; VIOLATES rb.agreement')],
    left_out: 2, needs: ['The crash of p0 at 4.1ms: without it, the property holds.', 'The loss of Data(m0) to p2.'] };
  return d.done();
}

/** A generator of numbers from 0 to 1 (mulberry32). */
function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const KINDS = ['Prepare', 'Promise', 'Accept', 'Accepted', 'Heartbeat', 'Decide', 'Forward', 'Snapshot', 'Probe'];

/** A run of about this many steps, with faults of all kinds; a violation at the end on demand. From step `turn` on, it is drawn from another seed. */
export function bustle({ steps: stepCount = 300, lanes: laneCount = 5, seed = 1, roles = false, violated = true, turn = Infinity } = {}) {
  const [first, second] = [random(seed), random(seed + 1)];
  const draw = () => (d.steps.length < turn ? first : second)();
  const pick = (n) => Math.floor(draw() * n);
  const lanes = names(laneCount);
  if (roles) lanes.forEach((lane, p) => { lane.role = p < laneCount / 3 ? 'proposer' : p < (2 * laneCount) / 3 ? 'acceptor' : 'learner'; });
  const d = new Draft(lanes, { scenario: `paxos/bustle-${stepCount}.toml`, protocol: 'paxos', problem: 'consensus', seed,
    summary: 'Proposers compete while links are slow.', command: `ftsim run paxos/bustle-${stepCount}.toml --seed ${seed}` });
  const queue = [];
  const terms = Array(laneCount).fill(0);
  const down = new Map(); const paused = new Map();
  let now = 0;
  for (let p = 0; p < laneCount; p++) {
    d.step(p, 0, null, [['start', 'starts']], [['term', '0'], ['log', '[]'], ['leader', 'None']]);
    queue.push({ at: ms(draw() * 3), timer: p, set: d.latest.get(p) });
  }
  const out = (step) => {
    const lane = d.steps[step].lane;
    const count = draw() < 0.3 ? laneCount - 1 : draw() < 0.7 ? 1 : 0;
    const kind = KINDS[Math.floor(draw() * draw() * KINDS.length)];
    const to = count === 1 ? [pick(laneCount)] : Array.from({ length: count + 1 }, (_, p) => p);
    for (const p of to) {
      if (p === lane || count === 0) continue;
      const delay = ms(0.2 + draw() * 2 + (draw() < 0.05 ? 12 : 0));
      const fate = draw();
      if (fate < 0.02) { d.send(step, p, `${kind}(${terms[lane]})`, { lost: { at: now, after: step, reason: d.text('loss') } }); continue; }
      const message = d.send(step, p, `${kind}(${terms[lane]})`, fate < 0.04 ? { changed: true } : delay > ms(6) ? { late: true } : {});
      queue.push({ at: now + delay, message });
      if (fate > 0.99) { d.messages[message].replayed = true; queue.push({ at: now + delay * 2, message }); }
    }
  };
  while (d.steps.length < stepCount) {
    if (!queue.length || draw() < 0.02) { const p = pick(laneCount); if (!down.has(p)) queue.push({ at: now + ms(draw()), request: p }); else queue.push({ at: now + ms(1), back: p }); }
    queue.sort((a, b) => b.at - a.at);
    const item = queue.pop();
    now = Math.max(now + 1000, item.at);
    if (item.message != null) {
      const { to, kind } = d.messages[item.message];
      if (down.has(to)) { if (!d.messages[item.message].heard.length) d.messages[item.message].lost = { at: now, after: d.steps.length - 1, reason: d.text('the receiver is down') }; continue; }
      if (paused.has(to)) { queue.push({ at: now + ms(2), message: item.message }); if (draw() < 0.3) { d.step(to, now, null, [['resume', 'RESUMES']]); d.bands[paused.get(to)].until = d.steps.length - 1; paused.delete(to); } continue; }
      const parts = [];
      if (draw() < 0.08) parts.push(['indicate', `ANNOUNCES decide ${terms[to]}`]);
      if (draw() < 0.15) parts.push(['append', `logs Entry(${terms[to]})`]);
      const state = draw() < 0.4 ? [['term', String(++terms[to])], ['leader', `Some(p${pick(laneCount)})`]] : [];
      const step = d.hear(item.message, now, parts, state);
      if (draw() < 0.1) d.part(step, 'synced', 'log is synced');
      if (d.texts[kind] !== 'Decide') out(step);
      continue;
    }
    const p = item.timer ?? item.request ?? item.back;
    if (item.back != null) {
      if (!down.has(p)) continue;
      d.step(p, now, null, [['recover', 'RECOVERS with 3 records']], [['term', String(terms[p])]]);
      d.bands[down.get(p)].until = d.steps.length - 1; down.delete(p);
      queue.push({ at: now + ms(2), timer: p, set: d.steps.length - 1 });
      continue;
    }
    if (down.has(p) || paused.has(p)) { if (item.timer != null && down.has(p)) queue.push({ at: now + ms(6), back: p }); else queue.push({ ...item, at: now + ms(3) }); continue; }
    if (item.request != null) { out(d.step(p, now, null, [['request', `is asked for Propose(v${pick(99)})`]])); continue; }
    const step = d.step(p, now, item.set, [['timer', 'timer Election fires']], [['term', String(++terms[p])]]);
    out(step);
    d.part(step, 'set-timer', 'sets timer Election for 5ms');
    queue.push({ at: now + ms(2 + draw() * 4), timer: p, set: step });
    const fault = draw();
    if (fault < 0.03 && down.size + 1 < laneCount / 2) { d.step(p, now + 1, null, [['crash', 'CRASHES']]); down.set(p, d.bands.push({ what: 'down', text: d.text('down'), lanes: [p], from: d.steps.length - 1 }) - 1); queue.push({ at: now + ms(6 + draw() * 6), back: p }); const q = (p + 1) % laneCount; if (!down.has(q)) d.step(q, now + 2, d.steps.length - 1, [['suspect', `suspects p${p}`]]); }
    else if (fault < 0.05 && !paused.size) { d.step(p, now + 1, null, [['pause', 'PAUSES']]); paused.set(p, d.bands.push({ what: 'paused', text: d.text('paused'), lanes: [p], from: d.steps.length - 1 }) - 1); }
    else if (fault < 0.07) {
      const open = d.bands.find((band) => band.what === 'condition' && band.until === undefined);
      if (open) { open.until = d.step(null, now + 1, null, [['ends', `ENDS ${d.texts[open.text]}`]]); }
      else { const one = pick(laneCount); const text = draw() < 0.3 ? 'slow network' : `partition {p${one}}`; const from = d.step(null, now + 1, null, [['begins', `BEGINS ${text}`]]); d.bands.push({ what: 'condition', text: d.text(text), lanes: text.startsWith('slow') ? [] : [one], from }); }
    } else if (fault < 0.075) { const at = d.step(p, now + 1, null, [['corrupt', 'TURNS BYZANTINE: equivocates']]); d.bands.push({ what: 'byzantine', text: d.text('Byzantine: equivocates'), lanes: [p], from: at }); }
  }
  d.verdicts = [{ property: 'consensus.agreement', kind: 'safety', text: 'No two processes decide differently.', verdict: violated ? 'violated' : 'held', message: violated ? 'p0 decided 3, p1 decided 4' : null },
    { property: 'consensus.validity', kind: 'safety', text: 'What is decided was proposed.', verdict: 'held', message: null },
    { property: 'consensus.termination', kind: 'liveness', text: 'All correct processes decide.', verdict: 'undecided', message: 'horizon' }];
  if (violated) {
    const hearing = d.steps.map((_, index) => index).filter((index) => d.steps[index].parts[0].event === 'deliver');
    const middle = hearing.filter((index) => index < Math.min(60, stepCount) * 0.8);
    const root = middle.at(-1); const other = middle.findLast((index) => d.steps[index].lane !== d.steps[root].lane);
    d.part(root, 'indicate', 'ANNOUNCES decide 4'); d.part(other, 'indicate', 'ANNOUNCES decide 3');
    d.part(root, 'violation', 'VIOLATES consensus.agreement: p0 decided 3, p1 decided 4');
    const rows = [other, root].map((index) => ({ steps: [index], lane: d.steps[index].lane, at: `${d.steps[index].at / 1e6}ms`, text: `hears ${d.texts[d.steps[index].parts[0].text]}; ANNOUNCES a decision`, standing: 'past' }));
    d.story = { property: 'consensus.agreement', message: 'two processes decided differently', roots: [other, root].sort((a, b) => a - b), rows, left_out: 0, needs: [] };
  }
  return d.done();
}

/** Two runs that are the same until about step 40, the second of which is shorter. */
export function pair() {
  const runs = [bustle({ steps: 120, violated: false }), bustle({ steps: 90, violated: false, turn: 40 })];
  const [a, b] = runs.map((run) => run.steps.map(({ lane, at, parts }) => [lane, at, ...parts.map((part) => `${part.event} ${run.texts[part.text]}`)]));
  const agree = a.findIndex((step, index) => String(step) !== String(b[index]));
  const part = a[agree].findIndex((one, index) => one !== b[agree][index]);
  const first = { step: agree, part: Math.max(0, part - 2) };
  runs[1].about = { ...runs[1].about, scenario: 'paxos/bustle-other.toml', summary: 'The same, with other delays.' };
  runs[1].verdicts[1] = { ...runs[1].verdicts[1], verdict: 'violated', message: 'p0 decided 7, which nobody proposed' };
  return { runs, pair: { command: 'ftsim diff paxos/bustle-300.toml paxos/bustle-other.toml --seed 1', agree, first: [first, first] } };
}

/** A small run whose texts try to break the page. */
export function hostile() {
  const run = broadcast();
  const nasty = ['<script>window.broken = 1</script>', '</script><img src=x onerror="window.broken=1">', '\u202egnp.exe\u202c', 'x'.repeat(10_000), '"\'`&lt;', 'a\u0000b\u2028c', '𝔘𝔫𝔦 '.repeat(60)];
  run.texts = run.texts.map((text, index) => `${text} ${nasty[index % nasty.length]}`);
  run.about.scenario = nasty[1]; run.about.command = nasty[0]; run.lanes[1].name = nasty[3]; run.lanes[2].name = nasty[2];
  run.story.message = nasty[0]; run.story.rows.forEach((row, index) => { row.text = nasty[index % nasty.length]; });
  run.verdicts[0].message = nasty[1]; run.verdicts[1].property = nasty[3];
  return run;
}
