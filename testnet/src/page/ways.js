'use strict';
// The way of one message through the network, replayed: nodes in a circle, grouped by region; an
// edge lights up while a first copy travels and stays; redundant copies are dashed.

const REPLAY_MS = 6000;

function ways() {
  const kinds = KINDS.filter(([kind]) => DETAIL[kind].ways.length);
  if (!kinds.length) return;
  const nodes = circle();
  const state = { kind: kinds[0][0], way: null, at: 0, end: 1, playing: false, before: 0, redundant: true };
  const list = el('select', { 'aria-label': 'message', onchange: () => pick(Number(list.value)) });
  const play = el('button', { type: 'button', class: 'do', onclick: () => (state.playing ? pause() : start()) }, 'Play');
  const scrub = el('input', { type: 'range', min: 0, max: 1000, value: 1000, 'aria-label': 'time since publication',
    oninput: () => { pause(); seek(scrub.value / 1000 * state.end); } });
  const clock = el('output', { style: 'min-width:7.5em;text-align:right' });
  const extra = el('label', {}, el('input', { type: 'checkbox', checked: true,
    onchange: (event) => { state.redundant = event.target.checked; seek(state.at); } }), ' redundant copies');
  const box = el('div', { style: 'max-width:660px;margin:0 auto' });
  const told = el('p', { class: 'note', style: 'margin-top:12px', 'aria-live': 'polite' });
  const table = el('div');
  const kept = kinds.map(([kind, name]) => {
    const { ways: all, slowest } = DETAIL[kind];
    return `${count(all.length)} of ${count(REPORT[kind].published)} ${name} (the ${slowest} slowest, `
      + `${all.length - slowest} drawn by the seed)`;
  });
  section('ways', 'The way of a message', 'measured',
    el('p', { class: 'note' }, `Kept here: ${kept.join('; ')}.`),
    el('div', { class: 'controls' },
      kinds.length > 1 ? choice('kind', kinds.map(([kind, name]) => [kind, name]), state.kind, load) : null, list),
    el('div', { class: 'controls' }, play, scrub, clock, extra), box,
    legend(['var(--blue)', 'first copy', 'solid'], ['var(--sky)', 'first copy, asked for', 'solid'],
      ['var(--orange)', 'redundant copy', 'dash'], ['var(--green)', 'has it'], ['var(--faint)', 'not yet']),
    told, el('details', {}, el('summary', {}, 'As a table'), table));

  function load(kind) {
    state.kind = kind;
    const { ways: all, slowest } = DETAIL[kind];
    const name = (way) => `${short(way.id)}  ${number(last(way) / 1000)} ms, from ${label(way.first[0]?.n)}`;
    const option = (way, at) => el('option', { value: at }, name(way));
    list.replaceChildren(el('optgroup', { label: 'slowest' }, all.slice(0, slowest).map(option)),
      all.length > slowest ? el('optgroup', { label: 'drawn' },
        all.slice(slowest).map((way, at) => option(way, at + slowest))) : '');
    pick(0);
  }
  function pick(at) {
    pause();
    state.way = DETAIL[state.kind].ways[at];
    const again = state.way.again.map((copy) => copy[0]);
    state.end = Math.max(1, last(state.way), ...again.filter((t) => t <= last(state.way) * 1.5));
    const hops = depths(state.way);
    const deepest = Math.max(0, ...hops.values());
    told.textContent = `${state.kind === 'tx' ? 'Transaction' : 'Block'} ${state.way.id}: `
      + `${count(state.way.bytes)} bytes, published by ${label(state.way.first[0]?.n)}; `
      + `${count(state.way.first.length - 1)} nodes had it within ${number(last(state.way) / 1000)} ms `
      + `over at most ${deepest} hops, with ${count(state.way.again.length)} redundant copies`
      + (state.way.missed.length ? `; never at ${state.way.missed.map(label).join(', ')}.` : '.');
    table.replaceChildren(sortable('arrivals of this message', [
      { name: 'node', left: true, value: (row) => label(row.n), text: (row) => label(row.n) },
      { name: 'from', left: true, value: (row) => label(row.f), text: (row) => label(row.f) },
      { name: 'hop', value: (row) => hops.get(row.n), text: (row) => count(hops.get(row.n)) },
      { name: 'arrived, ms', value: (row) => row.t / 1000 },
      { name: 'sent on from, ms', value: (row) => known(row.r) ? row.r / 1000 : null },
      { name: 'redundant copies', value: (row) => extras(row.n), text: (row) => count(extras(row.n)) },
    ], state.way.first, { by: 3, down: false }));
    paint(box.clientWidth);
    seek(state.end);
  }
  const extras = (node) => state.way.again.filter((copy) => copy[2] === node).length;
  function start() {
    if (state.at >= state.end) state.at = 0;
    [state.playing, state.before, play.textContent] = [true, performance.now(), 'Pause'];
    requestAnimationFrame(tick);
  }
  function pause() { [state.playing, play.textContent] = [false, 'Play']; }
  function tick(now) {
    if (!state.playing) return;
    seek(Math.min(state.end, state.at + (now - state.before) / REPLAY_MS * state.end));
    state.before = now;
    if (state.at >= state.end) pause(); else requestAnimationFrame(tick);
  }

  let picture = null;
  function paint(width) {
    if (width > 0 && state.way) {
      picture = scene(state.way, nodes, width);
      box.replaceChildren(picture.svg);
    }
  }
  function seek(at) {
    state.at = at;
    clock.textContent = `${number(at / 1000, 4)} ms`;
    scrub.value = at / state.end * 1000;
    picture?.show(at, state.redundant);
  }
  load(state.kind);
  responsive(box, (width) => { paint(width); seek(state.at); });
}

const label = (node) => known(node) ? REPORT.per_node[node].name : '–';
const last = (way) => Math.max(0, ...way.first.map((arrival) => arrival.t));

/** The depth of each node in the tree of first copies. */
function depths(way) {
  const from = new Map(way.first.map((arrival) => [arrival.n, arrival.f]));
  const hops = new Map();
  for (const { n } of way.first) {
    let [steps, at] = [0, n];
    while (known(from.get(at)) && steps <= from.size) { at = from.get(at); steps += 1; }
    hops.set(n, steps);
  }
  return hops;
}

/** Places on a circle of radius 1, nodes of one region side by side. */
function circle() {
  const order = REPORT.per_node.map((node, at) => ({ at, region: node.region ?? '', name: node.name }));
  order.sort((a, b) => natural(a.region, b.region) || natural(a.name, b.name));
  const groups = new Set(order.map((node) => node.region)).size;
  // Between two regions, half a place stays free.
  const gap = groups > 1 ? 0.5 : 0;
  const places = order.length + gap * groups;
  const found = new Array(order.length);
  let [place, before] = [0, order[0]?.region];
  for (const { at, region } of order) {
    if (region !== before) { place += gap; before = region; }
    const angle = (place / places) * 2 * Math.PI - Math.PI / 2;
    found[at] = { x: Math.cos(angle), y: Math.sin(angle), angle, region };
    place += 1;
  }
  return found;
}

/** The picture of one message; `show` moves it to a moment. */
function scene(way, nodes, width) {
  const many = nodes.length;
  const margin = width < 480 ? 58 : 112;
  const radius = Math.max(60, width / 2 - margin);
  const size = Math.max(2.5, Math.min(8, radius * 2.2 / many));
  const [cx, cy] = [width / 2, radius + 62];
  const x = (node, r = radius) => cx + nodes[node].x * r;
  const y = (node, r = radius) => cy + nodes[node].y * r;
  const svg = draw('svg', { height: cy + radius + 62, role: 'img', 'aria-label': 'the way of a message' });
  const bend = (from, to) => {
    const pull = 0.35;
    const [mx, my] = [(x(from) + x(to)) / 2, (y(from) + y(to)) / 2];
    return `M${x(from)} ${y(from)}Q${mx + (cx - mx) * pull} ${my + (cy - my) * pull} ${x(to)} ${y(to)}`;
  };
  for (const [from, to] of DETAIL.edges) {
    svg.append(draw('path', { d: bend(from, to), fill: 'none', class: 'grid' }));
  }
  const has = new Map(way.first.map((arrival) => [arrival.n, arrival]));
  const again = way.again.filter(([, from]) => known(from)).map(([t, from, to]) => {
    const path = draw('path', { d: bend(from, to), fill: 'none', stroke: 'var(--orange)', 'stroke-width': 1,
      'stroke-dasharray': '3 3', opacity: many > 40 ? 0.5 : 0.8 });
    svg.append(path);
    return { t, path };
  });
  const edges = way.first.filter((arrival) => known(arrival.f)).map((arrival) => {
    const path = draw('path', { d: bend(arrival.f, arrival.n), fill: 'none', 'stroke-width': many > 60 ? 1.5 : 2.25,
      stroke: arrival.p ? 'var(--sky)' : 'var(--blue)', pathLength: 1, 'stroke-linecap': 'round' });
    svg.append(path);
    const ready = has.get(arrival.f)?.r ?? has.get(arrival.f)?.t ?? 0;
    return { path, from: Math.min(ready, arrival.t), until: arrival.t };
  });
  const missed = new Set(way.missed);
  const dots = nodes.map((_, node) => {
    const arrival = has.get(node);
    const dot = draw('circle', { cx: x(node), cy: y(node), r: node === way.first[0]?.n ? size * 1.6 : size, 'stroke-width': 1.75 });
    const told = arrival ? `after ${number(arrival.t / 1000, 4)} ms` : missed.has(node) ? 'never had it' : 'not expected to have it';
    svg.append(hint(dot, `${label(node)}${nodes[node].region ? `, ${nodes[node].region}` : ''}\n${told}`));
    return { dot, at: arrival ? arrival.t : Infinity, missed: missed.has(node) };
  });
  names(svg, nodes, { x, y, radius, many });
  function show(at, redundant) {
    for (const { path, from, until } of edges) {
      const share = at >= until ? 1 : at <= from ? 0 : (at - from) / (until - from);
      path.setAttribute('stroke-dasharray', `${share} 1`);
      path.setAttribute('visibility', share > 0 ? 'visible' : 'hidden');
    }
    for (const { t, path } of again) {
      path.setAttribute('visibility', redundant && at >= t ? 'visible' : 'hidden');
    }
    for (const { dot, at: had, missed: never } of dots) {
      dot.setAttribute('fill', at >= had ? 'var(--green)' : 'var(--panel)');
      dot.setAttribute('stroke', at >= had ? 'var(--green)' : never ? 'var(--red)' : 'var(--faint)');
    }
  }
  return { svg, show };
}

/** Names beside the nodes while there is room for them, and of the regions beyond. */
function names(svg, nodes, { x, y, radius, many }) {
  const text = (angle, content, r, node) => draw('text', {
    x: x(node, r), y: y(node, r) + 4,
    'text-anchor': Math.abs(Math.cos(angle)) < 0.2 ? 'middle' : Math.cos(angle) > 0 ? 'start' : 'end',
  }, content);
  if (many * 14 < radius * 2 * Math.PI) {
    nodes.forEach(({ angle }, node) => svg.append(text(angle, label(node), radius + 16, node)));
    if (radius < 200) return;
  }
  const beyond = many * 14 < radius * 2 * Math.PI ? 46 : 16;
  const byRegion = new Map();
  nodes.forEach(({ region }, node) => byRegion.set(region, [...(byRegion.get(region) ?? []), node]));
  for (const [region, members] of byRegion) {
    if (!region) continue;
    members.sort((a, b) => nodes[a].angle - nodes[b].angle);
    const middle = members[Math.floor(members.length / 2)];
    svg.append(fill(text(nodes[middle].angle, region, radius + beyond, middle), { class: 'strong' }, []));
  }
}
