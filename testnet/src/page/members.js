'use strict';
// The lists of members: how soon deaths were known, and who was thought dead and was not.

function members() {
  const { members: lists } = REPORT;
  if (!lists) return;
  const rows = [
    lists.deaths && ['from a death to the first who knew, ms', 'detected_ms'],
    lists.deaths && ['from then until all knew, ms', 'all_know_ms'],
    lists.leaves && ['from a goodbye to the first who knew, ms', 'left_detected_ms'],
    lists.leaves && ['from then until all knew, ms', 'left_all_know_ms'],
    lists.returns && ['from a return until all knew, ms', 'returned_ms'],
    lists.joins && ['from a start until the list was complete, ms', 'discovered_ms'],
  ].filter(Boolean);
  // All of them are counts, or so large that nobody wants what is behind the point.
  const single = [
    ['held to be down and was not', 'false_positives'], ['suspicions', 'suspicions'],
    ['suspicions of the living', 'suspicions_of_living'], ['refuted', 'refuted'],
    ['deaths', 'deaths'], ['nodes that never knew of one', 'unaware'],
    lists.heals ? ['from the last heal to one list, ms', 'heal_ms'] : null,
    ['bytes sent by a node a second', 'bytes_per_node_s'],
  ].filter(Boolean);
  const ms = (value) => known(value) ? number(value) : '–';
  const at = (us) => number((us - REPORT.window.from_us) / 1e6);
  section('members', 'Members', 'measured',
    scroller('members', el('table', {}, el('tbody', {}, single.map(([name, path]) => el('tr', {},
      el('th', { scope: 'row' }, name), cell(REPORT, `members.${path}`, count)))))),
    rows.length ? scroller('times of the news', el('table', {}, el('thead', {}, el('tr', {}, el('th'),
      ['median', '99th percentile', 'greatest'].map((head) => el('th', { scope: 'col' }, head)))),
    el('tbody', {}, rows.map(([name, path]) => el('tr', {}, el('th', { scope: 'row' }, name),
      ['p50', 'p99', 'max'].map((rank) => cell(REPORT, `members.${path}.${rank}`))))))) : null,
    lists.ends.length ? sortable('deaths and leaves', [
      { name: 'node', left: true, value: (row) => row.node, text: (row) => row.node },
      { name: 'at, s', value: (row) => row.at_us, text: (row) => at(row.at_us) },
      { name: 'how', left: true, value: (row) => row.why, text: (row) => row.why },
      { name: 'noticed after, ms', value: (row) => row.detected_ms, text: (row) => ms(row.detected_ms) },
      { name: 'by', left: true, value: (row) => row.by ?? '', text: (row) => row.by ? `${row.by} (${row.cause})` : '–' },
      { name: 'by all, ms later', value: (row) => row.all_know_ms, text: (row) => ms(row.all_know_ms) },
      { name: 'knew', value: (row) => row.aware, text: (row) => count(row.aware) },
      { name: 'never knew', value: (row) => row.unaware, text: (row) => count(row.unaware) },
      { name: 'return known after, ms', value: (row) => row.returned_ms, text: (row) => ms(row.returned_ms) },
    ], lists.ends, { most: 16 }) : null,
    lists.mistakes.length ? el('p', {}, `Held to be down and was not${
      lists.false_positives > lists.mistakes.length ? `, the first ${lists.mistakes.length}` : ''}: `
      + lists.mistakes.map((row) => `${row.node} by ${row.by} at ${at(row.at_us)} s`).join('; ')) : null);
}
