'use strict';
// Copies and bytes on each link.

function links() {
  const kinds = KINDS.filter(([kind]) => REPORT[kind].by_link.length);
  if (!kinds.length) return;
  const box = el('div');
  section('links', 'Copies and bytes by link', 'measured',
    el('p', { class: 'note' }, 'Payload copies that one node sent to another. First copies are deliveries; '
      + 'all others are redundant.'),
    kinds.length > 1
      ? el('div', { class: 'controls' }, choice('kind', kinds.map(([kind, name]) => [kind, name]), kinds[0][0], show))
      : null, box);
  function show(kind) {
    const redundant = (row) => row.redundant / (row.first + row.redundant);
    box.replaceChildren(sortable('copies by link', [
      { name: 'from', left: true, value: (row) => row.from, text: (row) => short(row.from) },
      { name: 'to', left: true, value: (row) => row.to, text: (row) => row.to },
      { name: 'first', value: (row) => row.first, text: (row) => count(row.first) },
      { name: 'redundant', value: (row) => row.redundant, text: (row) => count(row.redundant) },
      { name: 'share redundant', value: redundant, text: (row) => percent(redundant(row), 0) },
      { name: 'first, size', value: (row) => row.first_bytes, text: (row) => bytes(row.first_bytes) },
      { name: 'redundant, size', value: (row) => row.redundant_bytes, text: (row) => bytes(row.redundant_bytes) },
    ], REPORT[kind].by_link, { most: 12, by: 3 }));
  }
  show(kinds[0][0]);
}
