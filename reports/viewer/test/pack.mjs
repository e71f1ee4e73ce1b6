// Runs as a page holds them: in columns. The program packs its own in `diagram/packed.rs`.

/** The data of a page of one run; or, with `pair`, of a page of two. */
export function pack(runs, pair = null) {
  const [texts, events] = [[], []];
  const intern = (list, known) => (value) => {
    if (!known.has(value)) known.set(value, list.push(value) - 1);
    return known.get(value);
  };
  const [text, event] = [intern(texts, new Map()), intern(events, new Map())];
  const packed = runs.map((run) => packRun(run, (id) => text(run.texts[id]), event));
  const names = { texts, events };
  return pair ? { version: 1, ...pair, runs: packed, ...names } : { version: 1, ...packed[0], ...names };
}

function packRun(run, text, event) {
  const steps = { number: [], at: [], lane: [], cause: [], parts: [], changes: [] };
  const parts = { event: [], text: [], message: [] };
  const changes = { field: [], value: [] };
  let [number, at] = [0, 0];
  run.steps.forEach((step, index) => {
    steps.number.push(step.number - number);
    steps.at.push(step.at - at);
    [number, at] = [step.number, step.at];
    steps.lane.push(step.lane ?? -1);
    steps.cause.push(step.cause == null ? 0 : index - step.cause);
    steps.parts.push(step.parts.length);
    steps.changes.push(step.state?.length ?? 0);
    for (const part of step.parts) {
      parts.event.push(event(part.event));
      parts.text.push(isUsual(run, part) ? -1 : text(part.text));
      parts.message.push(part.message ?? -1);
    }
    for (const [field, value] of step.state ?? []) {
      changes.field.push(text(field));
      changes.value.push(text(value));
    }
  });
  const bands = run.bands.map((band) => ({ ...band, text: text(band.text) }));
  const { about, lanes, verdicts, story, bound = null } = run;
  return { about, lanes, verdicts, steps, parts, changes, messages: packMessages(run.messages, text), bands, story, bound };
}

function packMessages(all, text) {
  const messages = { from: [], to: [], kind: [], text: [], sent: [], heard: [], lost: [], arrives: [], late: [], changed: [], replayed: [] };
  let base = 0;
  all.forEach((message, index) => {
    messages.from.push(message.from);
    messages.to.push(message.to);
    messages.kind.push(text(message.kind));
    messages.text.push(text(message.text));
    messages.sent.push(message.sent == null ? null : message.sent - base);
    base = message.sent ?? base;
    messages.heard.push(message.heard.map((step) => step - base));
    if (message.lost) messages.lost.push([index, message.lost.at, message.lost.after, text(message.lost.reason)]);
    if (message.arrives != null) messages.arrives.push([index, message.arrives]);
    for (const flag of ['late', 'changed', 'replayed']) if (message[flag]) messages[flag].push(index);
  });
  return messages;
}

function isUsual(run, { event, text, message }) {
  if (message == null || !['send', 'drop', 'carry', 'deliver'].includes(event)) return false;
  const { from, to, text: content } = run.messages[message];
  const link = event === 'deliver' ? ` from ${run.lanes[from]?.name}` : ` to ${run.lanes[to]?.name}`;
  return run.texts[text] === run.texts[content] + link;
}
