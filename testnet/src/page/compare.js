'use strict';
// A comparison: each difference with its interval on one scale, and the runs behind it.

const COLOURS = { better: 'var(--green)', worse: 'var(--red)', noise: 'var(--soft)' };

function fate(one) {
  if (one.verdict !== 'real') return 'noise';
  return (one.difference < 0) === (one.better === 'lower') ? 'better' : 'worse';
}

const signedText = (value) => `${value > 0 ? '+' : ''}${number(value, 4)}`.replace('-', '−');
const share = (value) => known(value) ? `${signedText(value * 100)} %` : '–';
const verdictText = (one) => one.verdict === 'too_few' ? 'too few pairs'
  : one.verdict === 'within_noise' ? 'within noise' : fate(one);

function against(pair, at) {
  const box = el('div');
  const title = `${pair.variant} against ${pair.base}`;
  section(`against-${at}`, title, 'measured',
    el('p', {}, `${count(pair.pairs)} pairs of runs with the same seed.`),
    pair.left_out.length ? el('div', { class: 'alarm' }, el('b', {}, 'Left out'),
      el('ul', {}, pair.left_out.map((why) => el('li', {}, why)))) : null,
    ...(pair.pairs ? differences(pair, box) : [el('p', {}, 'No pair is left, so there is nothing to compare.')]));
  const shown = pair.differences.filter((one) => one.interval && one.base !== 0);
  if (shown.length) responsive(box, (width) => box.replaceChildren(forest(shown, width)));
}

function differences(pair, box) {
  return [
    el('p', { class: 'note' }, `Differences in per cent of the median of ${pair.base}, with their 95 % intervals. `
      + 'An interval that holds 0 is within noise.'),
    box, legend([COLOURS.better, 'better (filled circle)'], [COLOURS.worse, 'worse (square)'], [COLOURS.noise, 'within noise (hollow)']),
    table(pair),
  ];
}

function forest(shown, width) {
  const narrow = width < 560;
  const left = narrow ? 12 : 220;
  const step = narrow ? 40 : 26;
  const right = 16;
  const of = (one, value) => value / Math.abs(one.base) * 100;
  // One figure without bounds must not flatten all others: the scale ends at the third quarter's
  // double, and what reaches beyond is cut.
  const reach = shown.map((one) => Math.max(Math.abs(of(one, one.interval.low)), Math.abs(of(one, one.interval.high))))
    .sort((a, b) => a - b);
  const most = Math.max(1, Math.min(reach.at(-1), 2.5 * reach[Math.floor(reach.length * 0.75)])) * 1.05;
  const x = (value) => left + (width - left - right) * (0.5 + Math.max(-1, Math.min(1, value / most)) / 2);
  const floor = shown.length * step + 8;
  const svg = draw('svg', { height: floor + 38, role: 'img', 'aria-label': 'differences and their intervals' });
  for (const value of ticks(most, narrow ? 2 : 4).flatMap((tick) => tick ? [-tick, tick] : [0])) {
    svg.append(draw('line', { class: value ? 'grid' : 'axis', x1: x(value), x2: x(value), y1: 0, y2: floor }),
      draw('text', { x: x(value), y: floor + 16, 'text-anchor': 'middle' },
        `${value > 0 ? '+' : ''}${mark(value)} %`.replace('-', '−')));
  }
  shown.forEach((one, at) => {
    const y = at * step + (narrow ? 28 : 16);
    const kind = fate(one);
    const [low, middle, high] = [one.interval.low, one.difference, one.interval.high].map((value) => x(of(one, value)));
    const told = `${one.what}: ${signedText(one.difference)} ${one.unit}\n95 % interval ${signedText(one.interval.low)} to `
      + `${signedText(one.interval.high)}\n${verdictText(one)}`;
    svg.append(draw('text', { class: kind === 'noise' ? null : 'strong', x: narrow ? 0 : left - 14,
      y: narrow ? y - 12 : y + 4, 'text-anchor': narrow ? 'start' : 'end' }, one.what));
    svg.append(draw('line', { x1: low, x2: Math.max(high, low + 1), y1: y, y2: y, stroke: COLOURS[kind], 'stroke-width': 3,
      'stroke-linecap': 'round' }));
    svg.append(hint(kind === 'worse'
      ? draw('rect', { x: middle - 5, y: y - 5, width: 10, height: 10, fill: COLOURS[kind] })
      : draw('circle', { cx: middle, cy: y, r: 5, fill: kind === 'noise' ? 'var(--panel)' : COLOURS[kind],
        stroke: COLOURS[kind], 'stroke-width': 2 }), told));
  });
  return svg;
}

function table(pair) {
  const unit = (one) => one.unit ? `${one.what}, ${one.unit}` : one.what;
  return sortable('differences', [
    { name: 'figure', left: true, value: unit, text: unit },
    { name: pair.base, value: (one) => one.base, text: (one) => number(one.base, 4) },
    { name: pair.variant, value: (one) => one.variant, text: (one) => number(one.variant, 4) },
    { name: 'difference', value: (one) => one.difference, text: (one) => signedText(one.difference) },
    { name: 'relative', value: (one) => one.relative, text: (one) => share(one.relative) },
    { name: '95 % interval', value: (one) => one.interval?.low,
      text: (one) => one.interval ? `${signedText(one.interval.low)} to ${signedText(one.interval.high)}` : '–' },
    { name: 'pairs', value: (one) => one.pairs, text: (one) => count(one.pairs) },
    { name: 'verdict', left: true, value: verdictText,
      text: (one) => fate(one) === 'noise' ? verdictText(one)
        : el('b', { class: fate(one) === 'better' ? 'good' : 'bad' }, verdictText(one)) },
  ], pair.differences, { most: 99 });
}

function runs() {
  const rows = DATA.variants.flatMap((variant) => variant.runs.map((run) => ({ ...run, name: variant.name })));
  rows.sort((a, b) => a.turn - b.turn);
  section('runs', 'The runs, in their order', 'measured', sortable('runs', [
    { name: 'turn', value: (row) => row.turn, text: (row) => count(row.turn + 1) },
    { name: 'variant', left: true, value: (row) => row.name, text: (row) => row.name },
    { name: 'seed', value: (row) => row.seed, text: (row) => String(row.seed) },
    { name: 'counts', left: true, value: (row) => row.unusable.length, text: (row) => row.unusable.length ? row.unusable.join('; ') : 'yes' },
    { name: 'folder', left: true, value: (row) => row.dir, text: (row) => el('code', {}, row.dir) },
  ], rows, { most: 40 }));
}

DATA.against.forEach(against);
runs();
document.documentElement.dataset.drawn = 'yes';
