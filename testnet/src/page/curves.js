'use strict';
// How messages arrived: the curves, the time to reach a share of the nodes, regions, and where the
// time went.

const REPORT = DATA.report;
const DETAIL = DATA.detail;
const KINDS = [['tx', 'transactions', 'var(--blue)', ''], ['block', 'blocks', 'var(--orange)', 'dash']]
  .filter(([kind]) => REPORT[kind].published > 0);

function arrivals() {
  const box = el('div');
  const log = { on: false };
  const scale = choice('scale of the time axis', [[false, 'linear'], [true, 'logarithmic']], false,
    (on) => { log.on = on; paint(box.clientWidth); });
  section('arrivals', 'When it arrived', 'measured',
    el('p', { class: 'note' }, 'Share of all expected deliveries that had come, by the time since publication. '
      + 'A curve that ends below 100 % misses deliveries.'),
    el('div', { class: 'controls' }, scale), box,
    legend(...KINDS.map(([, name, colour, dash]) => [colour, name, dash || 'solid'])));
  const curves = KINDS.map(([kind, name, colour, dash]) =>
    ({ name, colour, dash, points: DETAIL[kind].curve.map(([us, share]) => [us / 1000, share]) }))
    .filter((curve) => curve.points.length);
  const most = Math.max(1e-3, ...curves.map((curve) => curve.points.at(-1)[0]));
  const least = Math.max(1e-3, Math.min(...curves.map((curve) => curve.points[0][0])));
  function paint(width) {
    const [left, right, top, height] = [44, 14, 10, Math.min(320, Math.max(220, width * 0.32))];
    const floor = top + height;
    const low = log.on ? 10 ** Math.floor(Math.log10(least)) : 0;
    const x = (ms) => left + (width - left - right) * (log.on
      ? Math.log(Math.max(ms, low) / low) / Math.log(Math.max(most, low * 10) / low) : ms / most);
    const y = (share) => floor - height * share;
    const svg = draw('svg', { height: floor + 38, role: 'img', 'aria-label': 'arrival curves' });
    for (const share of [0, 0.25, 0.5, 0.75, 0.9, 1]) {
      svg.append(draw('line', { class: 'grid', x1: left, x2: width - right, y1: y(share), y2: y(share) }),
        draw('text', { x: left - 8, y: y(share) + 4, 'text-anchor': 'end' }, `${share * 100} %`));
    }
    const marks = log.on
      ? Array.from({ length: 9 }, (_, n) => low * 10 ** n).filter((ms) => ms <= most * 1.01)
      : ticks(most, width < 500 ? 4 : 8);
    for (const ms of marks) {
      svg.append(draw('line', { class: 'grid', x1: x(ms), x2: x(ms), y1: top, y2: floor }),
        draw('text', { x: x(ms), y: floor + 18, 'text-anchor': 'middle' }, mark(ms)));
    }
    svg.append(draw('text', { x: width - right, y: floor + 34, 'text-anchor': 'end' }, 'ms since publication'));
    for (const { name, colour, dash, points } of curves) {
      let path = `M${x(low)} ${y(0)}`;
      let before = 0;
      for (const [ms, share] of points) {
        path += `L${x(ms).toFixed(1)} ${y(before).toFixed(1)}L${x(ms).toFixed(1)} ${y(share).toFixed(1)}`;
        before = share;
      }
      path += `L${width - right} ${y(before)}`;
      svg.append(draw('path', { d: path, fill: 'none', stroke: colour, 'stroke-width': 2.25,
        'stroke-linejoin': 'round', 'stroke-dasharray': dash ? '7 4' : null, 'aria-label': name }));
    }
    const guide = draw('line', { class: 'axis', y1: top, y2: floor, visibility: 'hidden' });
    svg.append(guide, reader(curves, { left, right, top, height, width, x, guide, log, low, most }));
    box.replaceChildren(svg);
  }
  responsive(box, paint);
}

/** The area under the pointer: reads the curves off at the time it points to. */
function reader(curves, { left, right, top, height, width, guide, log, low, most }) {
  const area = draw('rect', { x: left, y: top, width: Math.max(1, width - left - right), height, fill: 'transparent' });
  area.addEventListener('pointermove', (event) => {
    const share = Math.min(1, Math.max(0, (event.offsetX - left) / (width - left - right)));
    const ms = log.on ? low * (Math.max(most, low * 10) / low) ** share : share * most;
    guide.setAttribute('x1', event.offsetX);
    guide.setAttribute('x2', event.offsetX);
    guide.setAttribute('visibility', 'visible');
    const lines = curves.map((curve) => {
      const came = curve.points.filter((point) => point[0] <= ms).at(-1);
      return `${curve.name}: ${percent(came ? came[1] : 0)}`;
    });
    TIP.textContent = [`after ${number(ms)} ms`, ...lines].join('\n');
    TIP.hidden = false;
    TIP.style.left = `${Math.min(event.clientX + 14, window.innerWidth - TIP.offsetWidth - 8)}px`;
    TIP.style.top = `${event.clientY + 14}px`;
  });
  area.addEventListener('pointerleave', () => {
    TIP.hidden = true;
    guide.setAttribute('visibility', 'hidden');
  });
  return area;
}

function shares() {
  const all = ['50', '75', '90', '95', '99', '100'];
  const rows = KINDS.flatMap(([kind, name]) => [['p50', 'median'], ['p99', '99th percentile']].map(([p, word]) =>
    el('tr', {}, el('th', { scope: 'row' }, `${name}, ${word}`),
      all.map((share) => cell(REPORT, `${kind}.to_share_ms.${share}.${p}`)))));
  const missed = KINDS.filter(([kind]) => REPORT[kind].to_share_ms['100'].unreached > 0).map(([kind, name]) =>
    el('tr', {}, el('th', { scope: 'row' }, `${name} that never did`),
      all.map((share) => cell(REPORT, `${kind}.to_share_ms.${share}.unreached`, count))));
  section('shares', 'Time to reach a share of the nodes', 'measured',
    el('p', { class: 'note' }, 'In milliseconds since publication, over messages.'),
    scroller('time to reach a share of the nodes', el('table', { class: 'wide' },
      el('thead', {}, el('tr', {}, el('th', { scope: 'col' }),
        all.map((share) => el('th', { scope: 'col' }, share === '100' ? 'all nodes' : `${share} %`)))),
      el('tbody', {}, rows, missed))));
}

/** Deliveries by the hops they took: the rounds in which messages spread. */
function rounds() {
  const kinds = KINDS.filter(([kind]) => REPORT[kind].hops.histogram.length);
  if (!kinds.length) return;
  const most = Math.max(...kinds.map(([kind]) => REPORT[kind].hops.histogram.length));
  const first = kinds.some(([kind]) => REPORT[kind].hops.histogram[0]) ? 0 : 1;
  const all = Array.from({ length: most - first }, (_, at) => first + at);
  const bars = kinds.map(([kind, name, colour]) => {
    const told = REPORT[kind].hops.histogram;
    const sum = told.reduce((one, other) => one + other, 0);
    return { kind, name, colour, share: (hops) => (told[hops] ?? 0) / sum, told };
  });
  const tallest = Math.max(...bars.flatMap(({ share }) => all.map(share)));
  const box = el('div');
  section('rounds', 'Rounds', 'measured',
    el('p', { class: 'note' }, 'Deliveries by the hops from the origin to the node that had the message: '
      + 'in round 1 it came from the origin itself.'), box,
    bars.length > 1 ? legend(...bars.map(({ name, colour }) => [colour, name])) : null,
    el('details', { open: all.length <= 12 }, el('summary', {}, 'As a table'), scroller('deliveries by hops',
      el('table', {}, el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'round'),
        all.map((hops) => el('th', { scope: 'col' }, count(hops))))),
      el('tbody', {}, bars.map(({ kind, name, told }) => el('tr', {}, el('th', { scope: 'row' }, name),
        all.map((hops) => known(told[hops]) ? cell(REPORT, `${kind}.hops.histogram.${hops}`, count) : el('td', {}, '–')))))))));
  responsive(box, (width) => {
    const [top, height] = [4, 120];
    const step = Math.min(72, width / all.length);
    const size = Math.max(1, step * 0.8 / bars.length);
    const svg = draw('svg', { height: top + height + 40, role: 'img', 'aria-label': 'deliveries by hops' });
    const every = Math.ceil(26 / step);
    for (const hops of all) {
      const left = (hops - first) * step;
      bars.forEach(({ name, colour, share, told }, at) => {
        const tall = height * share(hops) / tallest;
        svg.append(hint(draw('rect', { x: left + step * 0.1 + at * size, y: top + height - tall, width: size, height: tall,
          fill: colour }), `round ${hops}: ${count(told[hops] ?? 0)} deliveries of ${name}, ${percent(share(hops))}`));
      });
      if ((hops - first) % every === 0) {
        svg.append(draw('text', { x: left + step / 2, y: top + height + 16, 'text-anchor': 'middle' }, count(hops)));
      }
    }
    svg.append(draw('line', { class: 'axis', x1: 0, x2: step * all.length, y1: top + height, y2: top + height }),
      draw('text', { x: 0, y: top + height + 34 }, 'hops; height: share of the deliveries'));
    box.replaceChildren(svg);
  });
}

function regions() {
  const with_regions = KINDS.filter(([kind]) => REPORT[kind].by_region.length);
  if (!with_regions.length) return;
  const box = el('div');
  const show = (kind) => box.replaceChildren(heat(kind));
  const names = with_regions.map(([kind, name]) => [kind, name]);
  section('regions', 'Latency by region', 'measured, delays asked for modelled',
    el('p', { class: 'note' }, 'Median in milliseconds from publication in the region of the row to receipt in that '
      + 'of the column; small, the delay one way that was asked for.'),
    names.length > 1 ? el('div', { class: 'controls' }, choice('kind', names, names[0][0], show)) : null, box);
  show(names[0][0]);
}

function heat(kind) {
  const pairs = REPORT[kind].by_region;
  const used = REPORT.shape.regions.filter((region) => pairs.some((pair) => pair.from === region || pair.to === region));
  const most = Math.max(...pairs.map((pair) => pair.latency_ms.p50 ?? 0), 1e-9);
  const at = new Map(pairs.map((pair) => [`${pair.from} ${pair.to}`, pair]));
  const shade = (pair) => {
    const strength = 0.08 + 0.62 * Math.sqrt((pair.latency_ms.p50 ?? 0) / most);
    return `background:rgb(var(--heat) / ${strength.toFixed(3)})`.replace('rgb(var(--heat) /', 'rgba(var(--heat),');
  };
  const body = used.map((from) => el('tr', {}, el('th', { scope: 'row' }, from), used.map((to) => {
    const pair = at.get(`${from} ${to}`);
    if (!pair) return el('td', { class: 'cell' }, '·');
    return hint(el('td', { class: 'cell', style: shade(pair) }, number(pair.latency_ms.p50),
      el('small', {}, number(pair.asked_ms))),
    `${from} → ${to}\nmedian ${number(pair.latency_ms.p50)} ms, p99 ${number(pair.latency_ms.p99)} ms\n`
      + `asked for ${number(pair.asked_ms)} ms one way\n${count(pair.deliveries)} deliveries`);
  })));
  return scroller('latency by region', el('table', { class: 'heat' },
    el('thead', {}, el('tr', {}, el('th'), used.map((to) => el('th', { scope: 'col' }, to)))), el('tbody', {}, body)));
}

const STAGES = [['network_ms', 'network', 'var(--blue)'], ['pull_ms', 'asked for, or in a block', 'var(--sky)'],
  ['queue_ms', 'queue', 'var(--orange)'], ['check_ms', 'check', 'var(--green)'],
  ['other_ms', 'other time at relays', 'var(--soft)'], ['store_ms', 'store, after arrival', 'var(--purple)']];

function spent() {
  const groups = { all: 'all', slowest_10: 'slowest 10 %', slowest_1: 'slowest 1 %' };
  const bars = KINDS.flatMap(([kind, name]) =>
    REPORT[kind].where_time_went.map((row) => ({ row, name: `${name}, ${groups[row.of] ?? row.of}` })));
  if (!bars.length) return;
  const box = el('div');
  const used = STAGES.filter(([key]) => bars.some(({ row }) => row[key] > 0));
  const sum = (row) => used.reduce((all, [key]) => all + (row[key] ?? 0), 0);
  const most = Math.max(...bars.map(({ row }) => sum(row)), 1e-9);
  section('spent', 'Where the time went', 'measured',
    el('p', { class: 'note' }, 'Mean milliseconds of a delivery, along its whole way from the origin.'), box,
    legend(...used.map(([, name, colour]) => [colour, name])));
  responsive(box, (width) => {
    const step = 46;
    const svg = draw('svg', { height: bars.length * step + 4, role: 'img', 'aria-label': 'time in each stage' });
    bars.forEach(({ row, name }, at) => {
      const y = at * step;
      svg.append(draw('text', { class: 'strong', x: 0, y: y + 14 }, name),
        draw('text', { x: width, y: y + 14, 'text-anchor': 'end' }, width < 480 ? `${number(row.total_ms)} ms`
          : `${number(row.total_ms)} ms, ${count(row.deliveries)} deliveries`));
      let x = 0;
      for (const [key, stage, colour] of used) {
        const size = ((row[key] ?? 0) / most) * width;
        if (size <= 0) continue;
        svg.append(hint(draw('rect', { x, y: y + 20, width: Math.max(size - 1, 0.75), height: 15, fill: colour }),
          `${stage}: ${number(row[key])} ms`));
        x += size;
      }
    });
    box.replaceChildren(svg);
  });
  const table = el('table', { class: 'wide' },
    el('thead', {}, el('tr', {}, el('th'), used.map(([, name]) => el('th', { scope: 'col' }, `${name}, ms`)))),
    el('tbody', {}, bars.map(({ row, name }) => el('tr', {}, el('th', { scope: 'row' }, name),
      used.map(([key]) => el('td', {}, number(row[key])))))));
  box.after(el('details', {}, el('summary', {}, 'As a table'), scroller('time in each stage', table)));
}
