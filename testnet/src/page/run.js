'use strict';
// The run itself: assertions, links as asked for and as measured, lag, nodes, verdicts.

function asserts() {
  if (!REPORT.asserts.length) return;
  const failed = REPORT.asserts.filter((assert) => !assert.ok).length;
  const rows = [...REPORT.asserts].sort((a, b) => Number(a.ok) - Number(b.ok)).map((assert) => el('tr', {},
    el('td', { class: `left ${assert.ok ? 'good' : 'bad'}` }, assert.ok ? '✓ holds' : '✗ failed'),
    el('td', { class: 'left' }, el('code', {}, assert.name)),
    el('td', { class: 'left' }, assert.wanted ?? ''), el('td', { class: 'left' }, assert.found ?? '')));
  section('asserts', failed ? `${failed} of ${rows.length} assertions failed` : `All ${rows.length} assertions hold`, 'measured',
    scroller('assertions', el('table', {}, el('thead', {}, el('tr', {}, ['', 'figure', 'wanted', 'found'].map((head) =>
      el('th', { scope: 'col', class: 'left' }, head)))), el('tbody', {}, rows))));
}

function calibration() {
  const { calibration: probed } = REPORT;
  if (!probed) return;
  const missed = probed.links.filter((link) => !link.ok).length;
  const box = el('div');
  section('calibration', 'Links: asked for and measured', 'asked for modelled, the rest measured',
    el('p', {}, el('span', { class: `verdict ${probed.ok ? 'good' : 'bad'}` },
      probed.ok ? `all ${probed.links.length} probed links are right` : `${missed} of ${probed.links.length} probed links are wrong`)),
    el('p', { class: 'note' }, 'Right is a median round trip within 2 ms or 2 % of what was asked for, and a rate within 5 %. '
      + 'Each point is a link; on the line, it is exactly as asked for.'),
    box, sortable('probed links', [
      { name: 'from', left: true, value: (row) => row.from, text: (row) => row.from },
      { name: 'to', left: true, value: (row) => row.to, text: (row) => row.to },
      { name: 'asked, ms', value: (row) => row.asked_rtt_ms },
      { name: 'measured, ms', value: (row) => row.rtt_ms },
      { name: 'error, ms', value: (row) => row.rtt_error_ms, text: (row) => signed(row.rtt_error_ms) },
      { name: 'error, %', value: (row) => row.rtt_error_percent, text: (row) => signed(row.rtt_error_percent) },
      { name: 'rate asked', value: (row) => row.asked_bytes_per_s, text: (row) => rate(row.asked_bytes_per_s) },
      { name: 'rate measured', value: (row) => row.bytes_per_s, text: (row) => rate(row.bytes_per_s) },
      { name: 'error, %', value: (row) => row.rate_error_percent, text: (row) => signed(row.rate_error_percent) },
      { name: 'verdict', left: true, value: (row) => Number(row.ok), text: (row) => row.ok ? 'right'
        : el('b', { class: 'bad' }, row.failure ? `not probed: ${row.failure}` : 'wrong') },
    ], probed.links, { most: 12, by: 9, down: false }));
  const links = probed.links.filter((link) => known(link.asked_rtt_ms) && known(link.rtt_ms));
  if (links.length > 1) responsive(box, (width) => box.replaceChildren(scatter(links, width)));
}

const signed = (value) => known(value) ? `${value > 0 ? '+' : ''}${number(value)}`.replace('-', '−') : '–';
const rate = (value) => known(value) ? `${bytes(value)}/s` : '–';

function scatter(links, width) {
  const [left, right, top, height] = [52, 16, 8, Math.min(260, width * 0.6)];
  const most = Math.max(...links.flatMap((link) => [link.asked_rtt_ms, link.rtt_ms])) * 1.05 || 1;
  const wide = Math.min(width, 560) - left - right;
  const x = (ms) => left + wide * ms / most;
  const y = (ms) => top + height * (1 - ms / most);
  const svg = draw('svg', { height: top + height + 40, role: 'img', 'aria-label': 'round trips asked for and measured' });
  for (const ms of ticks(most, 5)) {
    svg.append(draw('line', { class: 'grid', x1: left, x2: left + wide, y1: y(ms), y2: y(ms) }),
      draw('text', { x: left - 8, y: y(ms) + 4, 'text-anchor': 'end' }, mark(ms)),
      draw('text', { x: x(ms), y: top + height + 18, 'text-anchor': 'middle' }, mark(ms)));
  }
  svg.append(draw('line', { class: 'axis', x1: x(0), y1: y(0), x2: x(most), y2: y(most) }),
    draw('text', { x: left + wide, y: top + height + 35, 'text-anchor': 'end' }, 'asked for, ms; upwards: measured, ms'));
  for (const link of links) {
    const colour = link.ok ? 'var(--green)' : 'var(--red)';
    const at = [x(link.asked_rtt_ms), y(link.rtt_ms)];
    svg.append(hint(link.ok
      ? draw('circle', { cx: at[0], cy: at[1], r: 4, fill: colour, 'fill-opacity': 0.7 })
      : draw('path', { d: `M${at[0] - 5} ${at[1] - 5}l10 10m0-10l-10 10`, stroke: colour, 'stroke-width': 2.5 }),
    `${link.from} → ${link.to}: ${number(link.rtt_ms)} ms for ${number(link.asked_rtt_ms)} ms`));
  }
  return svg;
}

function nodeTable() {
  const { lag } = REPORT;
  const us = (value) => known(value) ? `${number(value / 1000)} ms` : '–';
  const kept = lag.ok === null ? 'No limit was stated.'
    : `The limit is ${us(lag.limit_us)}: ${lag.ok ? 'kept' : 'not kept'}.`;
  const some = (key) => REPORT.per_node.some((node) => known(node[key]));
  section('nodes', 'Nodes, and whether the machine kept up', 'measured',
    el('p', {}, lag.samples
      ? `Scheduler lag over ${count(lag.samples)} samples: median ${us(lag.p50_us)}, 99th percentile ${us(lag.p99_us)}, `
        + `greatest ${us(lag.max_us)}. ${kept}`
      : `No node logged its scheduler's lag. ${kept}`),
    sortable('nodes', [
      { name: 'node', left: true, value: (row) => row.name, text: (row) => row.name },
      some('region') && { name: 'region', left: true, value: (row) => row.region ?? '', text: (row) => row.region ?? '–' },
      { name: 'throughout', left: true, value: (row) => Number(row.throughout), text: (row) => row.throughout ? 'yes' : fate(row) },
      some('access') && { name: 'up, modelled', value: (row) => row.access?.up, text: (row) => rate(row.access?.up) },
      some('access') && { name: 'down, modelled', value: (row) => row.access?.down, text: (row) => rate(row.access?.down) },
      { name: 'first copies', value: (row) => row.first_copies, text: (row) => count(row.first_copies) },
      { name: 'redundant', value: (row) => row.redundant_copies, text: (row) => count(row.redundant_copies) },
      { name: 'lag p99', value: (row) => row.lag_p99_us, text: (row) => us(row.lag_p99_us) },
      { name: 'lag max', value: (row) => row.lag_max_us, text: (row) => us(row.lag_max_us) },
      some('cpu_s') && { name: 'processor, s', value: (row) => row.cpu_s },
    ].filter(Boolean), REPORT.per_node, { most: 16 }));
}

/** What came of the load that was asked for. */
function load() {
  const { load: came } = REPORT;
  if (!came || !came.planned) return;
  const wrong = [['refused', came.refused], ['failed', came.failed]].flatMap(([what, reasons]) =>
    Object.entries(reasons).map(([reason, many]) => el('li', {}, `${count(many)} ${what}: ${reason}`)));
  const lag = `the latest ${number(came.max_lag_us / 1000)} ms after its time`;
  section('load', 'The load', 'measured',
    el('p', {}, `${count(came.submitted)} of ${count(came.planned)} transactions handed in, ${count(came.taken)} taken by a pool. `
      + (came.late ? `${count(came.late)} were handed in late, ${lag}.` : `None was handed in late: ${lag}.`)),
    wrong.length ? el('ul', { class: 'bad' }, wrong) : null);
}

/** Why a node is not expected to have everything. */
function fate(node) {
  const { from_us: from, until_us: until } = REPORT.window;
  if (REPORT.pauses.some((pause) => pause.node === node.name)) return 'held still';
  if (node.lives.length > 1) return 'restarted';
  if (node.lives.some((life) => life.killed)) return 'killed';
  if (node.lives.every((life) => life.from_us > from)) return 'joined late';
  return node.lives.every((life) => life.until_us < until) ? 'stopped' : 'no';
}

function afterwards() {
  const { tx, block, chain } = REPORT;
  const rows = [
    ['from publication to pool, ms', 'tx.pooled_ms.p50', 'tx.pooled_ms.p99'],
    ['from publication to a block on the chain, ms', 'tx.included_ms.p50', 'tx.included_ms.p99'],
    ['from a block\u2019s publication to its being the tip, ms', 'block.to_tip_ms.p50', 'block.to_tip_ms.p99'],
    ['between blocks of the chain, ms', 'block.interval_ms.p50', 'block.interval_ms.p99'],
  ];
  const judged = [['transactions', tx.verdicts], ['blocks', block.verdicts]].filter(([, list]) => list.length)
    .map(([name, list]) => `${name}: ${list.map((row) => `${row.verdict}${row.reason ? ` (${row.reason})` : ''} ${count(row.count)}`).join(', ')}`);
  const tip = chain.same_tip === null ? 'No node logged a tip.' : chain.same_tip ? 'All nodes had the same tip.' : 'The tips of the nodes differed.';
  section('afterwards', 'Pool and chain', 'measured',
    el('p', {}, `${count(tx.included)} transactions in the chain, ${count(tx.evicted)} evicted, ${count(tx.never_included)} neither. `
      + `Height ${count(chain.height)}, final ${count(chain.final)}; ${count(block.stale)} stale blocks, deepest reorganisation `
      + `${count(block.max_reorg)}. ${tip}`),
    scroller('pool and chain', el('table', {}, el('thead', {}, el('tr', {}, el('th'),
      ['median', '99th percentile'].map((head) => el('th', { scope: 'col' }, head)))),
    el('tbody', {}, rows.map(([name, ...paths]) => el('tr', {}, el('th', { scope: 'row' }, name),
      paths.map((path) => cell(REPORT, path))))))),
    judged.length ? el('p', { class: 'note', style: 'margin-top:12px' }, `Verdicts on ${judged.join('; ')}.`) : null);
}
