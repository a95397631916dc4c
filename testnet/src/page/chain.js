'use strict';
// The run on a time line: blocks on the chain and beside it, and what was done to the network.

const ORIGIN_US = REPORT.window.from_us;
const seconds = (us) => (us - ORIGIN_US) / 1e6;

function timeLine() {
  const blocks = REPORT.block.time_line;
  const { actions, pauses, cuts, window: measured } = REPORT;
  if (!blocks.length && !actions.length) return;
  const box = el('div');
  const stale = blocks.filter((block) => block.stale).length;
  section('blocks', 'Blocks, forks and actions', 'measured',
    el('p', { class: 'note' }, `${count(blocks.length)} blocks, ${count(stale)} of them stale. The upper row is the `
      + 'chain, the one below holds what is beside it. The bar behind a block lasts until the last node had it as its tip. '
      + 'Shaded: outside of the window.'),
    box, legend(['var(--blue)', 'on the chain'], ['var(--red)', 'stale (square)'], ['var(--purple)', 'a tip undone', 'solid'],
      ['var(--soft)', 'action', 'dash'], ['var(--faint)', 'held still, cut off']),
    el('details', {}, el('summary', {}, 'Blocks as a table'), blockTable(blocks)),
    actions.length ? el('details', {}, el('summary', {}, 'Actions as a table'), sortable('actions', [
      { name: 'second', left: true, value: (row) => row.at_us, text: (row) => seconds(row.at_us).toFixed(3) },
      { name: 'what', left: true, value: (row) => row.what, text: (row) => row.what },
    ], actions)) : null);

  const points = [...blocks, ...actions].map((thing) => thing.at_us);
  const first = Math.min(measured.from_us, ...points);
  const end = Math.max(measured.until_us, ...points);
  const spans = [
    ...pauses.map((pause) => ({ ...pause, what: `${pause.node} held still` })),
    ...together(cuts),
  ];
  responsive(box, (width) => box.replaceChildren(lanes(width, { blocks, actions, spans, first, end, measured })));
}

/** Cuts of the same stretch of time as one: there is one for each node that sends. */
function together(cuts) {
  const groups = new Map();
  for (const cut of cuts) {
    const key = `${cut.from_us} ${cut.until_us}`;
    groups.set(key, [...(groups.get(key) ?? []), cut]);
  }
  return [...groups.values()].map((group) => {
    const senders = [...new Set(group.flatMap((cut) => cut.from))].sort(natural);
    const what = group.length > 1 ? few(senders) : `${few(group[0].from)} | ${few(group[0].to)}`;
    return { ...group[0], what: `cut: ${what}` };
  });
}

const few = (names) => names.length > 4 ? `${names[0]} and ${names.length - 1} more` : names.join(', ');

function lanes(width, { blocks, actions, spans, first, end, measured }) {
  const [left, right, main, beside] = [8, 8, 26, 64];
  const below = beside + 26 + spans.length * 20;
  const floor = below + (actions.length ? 40 : 0);
  const x = (us) => left + (width - left - right) * (us - first) / Math.max(1, end - first);
  const svg = draw('svg', { height: floor + 40, role: 'img', 'aria-label': 'blocks, forks and actions on a time line' });
  const shade = (from, to) => to > from && svg.append(draw('rect', {
    x: x(from), y: 4, width: x(to) - x(from), height: floor - 4, fill: 'var(--hair)', opacity: 0.7 }));
  shade(first, measured.from_us);
  shade(measured.until_us, end);
  for (const at of ticksBetween(seconds(first), seconds(end), width < 500 ? 4 : 9)) {
    const us = ORIGIN_US + at * 1e6;
    svg.append(draw('line', { class: 'grid', x1: x(us), x2: x(us), y1: 4, y2: floor }),
      draw('text', { x: x(us), y: floor + 16, 'text-anchor': 'middle' }, mark(at)));
  }
  svg.append(draw('text', { x: width - right, y: floor + 34, 'text-anchor': 'end' }, 'seconds since the window began'));
  svg.append(draw('line', { class: 'axis', x1: left, x2: width - right, y1: main, y2: main }));
  const place = new Map(blocks.map((block) => [block.id, block]));
  const y = (block) => block.stale ? beside : main;
  const size = Math.max(2, Math.min(5.5, width / Math.max(1, blocks.length) / 2.4));
  for (const block of blocks) {
    const parent = place.get(block.parent);
    if (parent && (block.stale || parent.stale)) {
      svg.append(draw('line', { x1: x(parent.at_us), y1: y(parent), x2: x(block.at_us), y2: y(block),
        stroke: 'var(--red)', 'stroke-width': 1.25 }));
    }
  }
  for (const [us, node, depth] of DETAIL.reorgs) {
    svg.append(hint(draw('line', { x1: x(us), x2: x(us), y1: beside + 12, y2: beside + 12 + 4 + 2 * Math.min(depth, 5),
      stroke: 'var(--purple)', 'stroke-width': 2 }), `${REPORT.per_node[node].name} undid ${depth} at ${seconds(us).toFixed(3)} s`));
  }
  for (const block of blocks) {
    const colour = block.stale ? 'var(--red)' : 'var(--blue)';
    const until = block.at_us + (block.tip_ms.max ?? 0) * 1000;
    const told = `block ${short(block.id)}, height ${count(block.height)}${block.stale ? ', stale' : ''}\n`
      + `by ${block.node ?? 'a stranger'} at ${seconds(block.at_us).toFixed(3)} s\n`
      + `the tip of ${count(block.tips)} nodes, of the last after ${number(block.tip_ms.max)} ms`;
    svg.append(draw('rect', { x: x(block.at_us), y: y(block) - 3, width: Math.max(0, x(until) - x(block.at_us)), height: 6,
      fill: colour, opacity: 0.35 }),
    hint(block.stale
      ? draw('rect', { x: x(block.at_us) - size, y: y(block) - size, width: 2 * size, height: 2 * size,
        fill: 'var(--panel)', stroke: colour, 'stroke-width': 1.75 })
      : draw('circle', { cx: x(block.at_us), cy: y(block), r: size, fill: colour }), told));
  }
  spans.forEach((span, at) => {
    const top = beside + 28 + at * 20;
    const until = Math.min(span.until_us ?? end, end);
    svg.append(hint(draw('rect', { x: x(span.from_us), y: top, width: Math.max(2, x(until) - x(span.from_us)), height: 14,
      rx: 3, fill: 'var(--faint)' }), `${span.what}\n${seconds(span.from_us).toFixed(3)} to `
        + `${known(span.until_us) ? seconds(span.until_us).toFixed(3) : 'the end'} s`));
    const before = x(span.from_us) > width * 0.55;
    const room = (before ? x(span.from_us) : width - x(span.from_us)) / 7.2 - 2;
    const words = span.what.length > room ? `${span.what.slice(0, Math.max(3, room - 1))}…` : span.what;
    svg.append(draw('text', { x: before ? x(span.from_us) - 6 : x(span.from_us) + 6, y: top + 11,
      'text-anchor': before ? 'end' : 'start', class: 'strong' }, words));
  });
  actionMarks(svg, actions, { x, below, width });
  return svg;
}

/** The actions: a line each, and its words where there is room. */
function actionMarks(svg, actions, { x, below, width }) {
  const free = [-Infinity, -Infinity];
  for (const action of actions) {
    const at = x(action.at_us);
    svg.append(hint(draw('line', { x1: at, x2: at, y1: 4, y2: below + 8, stroke: 'var(--soft)', 'stroke-width': 1.5,
      'stroke-dasharray': '4 3' }), `${action.what}\nat ${seconds(action.at_us).toFixed(3)} s`));
    const words = action.what.length > 24 ? `${action.what.slice(0, 23)}…` : action.what;
    const size = words.length * 6.6;
    const start = Math.min(Math.max(2, at - size / 2), width - size);
    const row = free.findIndex((until) => until < start);
    if (row < 0) continue;
    free[row] = start + size + 8;
    svg.append(draw('text', { x: start, y: below + 20 + row * 15 }, words));
  }
}

function blockTable(blocks) {
  return sortable('blocks', [
    { name: 'height', value: (row) => row.height, text: (row) => count(row.height) },
    { name: 'id', left: true, value: (row) => row.id, text: (row) => el('code', {}, short(row.id)) },
    { name: 'slot', value: (row) => row.slot, text: (row) => count(row.slot) },
    { name: 'by', left: true, value: (row) => row.node ?? '', text: (row) => row.node ?? '–' },
    { name: 'second', value: (row) => row.at_us, text: (row) => seconds(row.at_us).toFixed(3) },
    { name: 'transactions', value: (row) => row.transactions, text: (row) => count(row.transactions) },
    { name: 'first seen, ms', value: (row) => row.first_seen_ms },
    { name: 'tip, median ms', value: (row) => row.tip_ms.p50 },
    { name: 'tip, last ms', value: (row) => row.tip_ms.max },
    { name: 'tip of nodes', value: (row) => row.tips, text: (row) => count(row.tips) },
    { name: 'on the chain', left: true, value: (row) => String(row.stale),
      text: (row) => row.stale === null ? '–' : row.stale ? 'stale' : 'yes' },
  ], blocks, { most: 20 });
}
