'use strict';
// What all pages share: the data, elements, figures as text, tables that sort, hints on hover.

const DATA = JSON.parse(document.getElementById('data').textContent);
const SVG = 'http://www.w3.org/2000/svg';

/** An element with attributes and children; `on…` attributes are listeners. */
function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same of SVG. */
function draw(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? '' : value);
  }
  for (const child of children.flat(9)) {
    if (child !== null && child !== undefined) node.append(child);
  }
  return node;
}

const known = (value) => value !== null && value !== undefined;

/** A number with so many significant digits, at least its whole part; a dash for none. */
function number(value, digits = 3) {
  if (!known(value)) return '–';
  const size = Math.abs(value);
  const whole = size < 1 ? 0 : Math.floor(Math.log10(size)) + 1;
  const decimals = size === 0 ? 0 : Math.max(0, Math.min(digits - whole, digits));
  return value.toLocaleString('en', {
    minimumFractionDigits: size < 1e5 ? Math.min(decimals, 3) : 0,
    maximumFractionDigits: Math.min(decimals, 3),
  }).replaceAll(',', '\u202f');
}

/** A number beside an axis: without digits that mean nothing. */
const mark = (value) => Number(value.toPrecision(6)).toLocaleString('en', { maximumFractionDigits: 6 })
  .replaceAll(',', '\u202f');

const count = (value) => known(value)
  ? value.toLocaleString('en', { maximumFractionDigits: 0 }).replaceAll(',', '\u202f') : '–';
const percent = (share, decimals = 1) => known(share) ? `${(share * 100).toFixed(decimals)} %` : '–';
const short = (id) => id.length > 20 ? id.slice(0, 10) : id;

/** Bytes in decimal units. */
function bytes(value) {
  if (!known(value)) return '–';
  const units = [[1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB']];
  const unit = units.find(([size]) => value >= size);
  return unit ? `${number(value / unit[0])} ${unit[1]}` : `${count(value)} B`;
}

/** A figure at its path in the data: `tx.to_share_ms.50.p99`. */
const figure = (root, path) => path.split('.').reduce((value, key) => value?.[key], root);

/** A cell that tells which figure it shows, so that a program can read it back. */
function cell(root, path, text = number) {
  const value = figure(root, path);
  return el('td', { 'data-figure': path, 'data-value': known(value) ? String(value) : '' }, text(value));
}

/** A section of the page with a heading and a remark on where its figures come from. */
function section(id, title, tag, ...children) {
  const mark = tag ? el('span', { class: `tag ${tag === 'measured' ? '' : 'modelled'}` }, tag) : null;
  const node = el('section', { id }, el('header', {}, el('h2', {}, title), mark), ...children);
  document.getElementById('sections').append(node);
  return node;
}

/** A table that may be wider than the page scrolls by itself. */
const scroller = (label, table) =>
  el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label }, table);

/**
 * A table whose columns sort. A column is `{ name, value, text, left }`: what to sort by, and how to
 * show it. Only `most` rows are shown until asked for all.
 */
function sortable(label, columns, rows, { most = 24, by = null, down = true } = {}) {
  let [sorted, descending, all] = [by, down, rows.length <= most];
  const body = el('tbody');
  const heads = columns.map((column, at) => el('th', { scope: 'col', class: column.left ? 'left' : null },
    el('button', { type: 'button', onclick: () => {
      descending = sorted === at ? !descending : !column.left;
      sorted = at;
      show();
    } }, column.name)));
  const more = el('button', { type: 'button', class: 'do', onclick: () => { all = true; show(); } },
    `Show all ${count(rows.length)} rows`);
  function show() {
    const order = [...rows];
    if (sorted !== null) {
      const value = columns[sorted].value;
      const rank = (a, b) => typeof a === 'string' ? natural(a, b) : (a ?? -Infinity) - (b ?? -Infinity);
      order.sort((a, b) => rank(value(a), value(b)) * (descending ? -1 : 1));
    }
    heads.forEach((head, at) => {
      if (at === sorted) head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    });
    body.replaceChildren(...order.slice(0, all ? rows.length : most).map((row) => el('tr', {},
      columns.map((column) => el('td', { class: column.left ? 'left' : null },
        (column.text ?? ((row) => number(column.value(row))))(row))))));
    more.hidden = all;
  }
  show();
  const table = el('table', { class: 'wide' }, el('thead', {}, el('tr', {}, heads)), body);
  return el('div', {}, scroller(label, table), el('p', { class: 'controls' }, more));
}

const natural = (a, b) => a.localeCompare(b, 'en', { numeric: true });

/** Draws into `box` now and whenever its width changes. `paint` is given the width. */
function responsive(box, paint) {
  let width = 0;
  const again = () => {
    const now = Math.floor(box.clientWidth);
    if (now > 0 && now !== width) { width = now; paint(width); }
  };
  again();
  new ResizeObserver(again).observe(box);
}

const TIP = document.getElementById('tip');

/** A hint that follows the pointer over `node`, and is there for the keyboard and for readers. */
function hint(node, text) {
  node.setAttribute('aria-label', text);
  node.addEventListener('pointermove', (event) => {
    TIP.textContent = text;
    TIP.hidden = false;
    const { innerWidth, innerHeight } = window;
    const { offsetWidth, offsetHeight } = TIP;
    TIP.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - offsetWidth - 8))}px`;
    TIP.style.top = `${Math.max(4, Math.min(event.clientY + 14, innerHeight - offsetHeight - 8))}px`;
  });
  node.addEventListener('pointerleave', () => { TIP.hidden = true; });
  return node;
}

/** Round values for an axis from 0 to `most`, about `about` of them. */
const ticks = (most, about) => ticksBetween(0, most, about);

/** The same from `least` to `most`: 0 is one of them if it lies between. */
function ticksBetween(least, most, about) {
  if (!(most > least)) return [least];
  const raw = (most - least) / about;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw);
  const values = [];
  for (let at = Math.ceil(least / step); at * step <= most + step * 1e-4; at += 1) {
    values.push(Number((at * step).toPrecision(12)) + 0);
  }
  return values;
}

/** Buttons of which one is pressed. */
function choice(label, options, chosen, pick) {
  const buttons = options.map(([value, text]) => el('button', {
    type: 'button', class: 'do', 'aria-pressed': String(value === chosen),
    onclick: () => {
      for (const button of buttons) button.setAttribute('aria-pressed', String(button === buttons[at(value)]));
      pick(value);
    },
  }, text));
  const at = (value) => options.findIndex((option) => option[0] === value);
  return el('span', { class: 'controls', role: 'group', 'aria-label': label, style: 'margin:0' }, buttons);
}

const legend = (...items) => el('ul', { class: 'legend' }, items.map(([colour, text, line]) =>
  el('li', {}, el('i', line
    ? { class: `line ${line}`, style: `border-color:${colour}` }
    : { style: `background:${colour}` }), text)));
